using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using StatusDaemon.Cluster;
using StatusDaemon.Daemon;
using StatusDaemon.EndToEnd;
using StatusDaemon.Names;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;

namespace StatusDaemon.Gateway;

/// <summary>How long a gateway waits before it calls a shard again that did not answer as it should.</summary>
public sealed class ShardCallsTests
{
    private readonly WatchedTime time = new();

    [Fact]
    public async Task A_call_that_failed_is_made_again_after_a_pause_that_grows_up_to_a_bound_and_begins_anew_when_the_shard_is_back()
    {
        await using var server = await ServerHere.StartAsync();
        var link = new ShardLink(new GatewayId(1), 0, static (_, _) => { }, static (_, at) => new ChangeSource(SourceKind.Client, "", "", at), static _ => { });
        var calls = new ShardCalls(
            [link], new UidTable(), new SteadyClock(time), time, new GatewayId(1), static _ => true, NullLogger.Instance);
        calls.Attach(server.Services.GetRequiredService<IClusterClient>(), null!);

        calls.Call(RouterSettings.TickInterval);
        foreach (var milliseconds in (int[])[50, 100, 150, 150])
        {
            calls.Take(new LoopInput.Failed(0, "away"));
            await ExpectPauseAsync(milliseconds);
        }

        calls.Take(new LoopInput.Answered(0, Answer(activation: 5)));
        calls.Call(tick: null); // at once: no pause
        calls.Take(new LoopInput.Answered(0, Answer(activation: 4)));
        await ExpectPauseAsync(50);
        calls.Take(new LoopInput.Failed(0, "away"));
        await ExpectPauseAsync(100);

        async Task ExpectPauseAsync(int milliseconds)
        {
            calls.Call(tick: null);
            TimeSpan wait;
            do
            {
                wait = await time.NextWaitAsync(TestContext.Current.CancellationToken);
            }
            while (wait == ShardCalls.Patience); // for the answer to a call that was made at once

            Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), wait);
        }
    }

    private static ShardAnswer Answer(long activation) => new(activation, MustDeclare: true, 7, default, DateTimeOffset.UnixEpoch, [], []);
}
