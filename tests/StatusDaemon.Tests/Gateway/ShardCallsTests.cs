using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
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
        var calls = CallsOf(server, NullLogger.Instance);

        calls.Call(RouterSettings.TickInterval);
        foreach (var milliseconds in (int[])[50, 100, 150, 150])
        {
            calls.Take(new LoopInput.Failed(0, "away"));
            await ExpectPauseAsync(calls, milliseconds);
        }

        calls.Take(new LoopInput.Answered(0, Answer(activation: 5)));
        calls.Call(tick: null); // at once: no pause
        calls.Take(new LoopInput.Answered(0, Answer(activation: 4)));
        await ExpectPauseAsync(calls, 50);
        calls.Take(new LoopInput.Failed(0, "away"));
        await ExpectPauseAsync(calls, 100);
    }

    [Fact]
    public async Task A_shard_of_the_release_before_is_told_again_at_once_in_words_that_it_reads_and_one_of_none_that_we_know_is_not()
    {
        await using var server = await ServerHere.StartAsync();
        var log = new WarningLog<ShardCalls>();
        var calls = CallsOf(server, log);

        calls.Call(RouterSettings.TickInterval);
        calls.Take(new LoopInput.Unread(0, new WireRange(WireVersion.Oldest - 1, WireVersion.Oldest)));
        calls.Call(tick: null); // at once: no pause
        calls.Take(new LoopInput.Unread(0, new WireRange(WireVersion.Newest + 1, WireVersion.Newest + 2)));
        await ExpectPauseAsync(calls, 50);

        Assert.Equal(
            "Shard 0 did not answer and is asked until it does: it reads messages of versions 6 to 7, and this gateway writes 4 to 5: upgrade the older of the two by one release at a time",
            await log.Lines.ReadAsync(TestContext.Current.CancellationToken));
        Assert.False(log.Lines.TryRead(out _));
    }

    private ShardCalls CallsOf(ServerHere server, ILogger log)
    {
        var link = new ShardLink(new GatewayId(1), 0, static (_, _) => { }, static (_, at) => new ChangeSource(SourceKind.Client, "", "", at), static _ => { });
        var calls = new ShardCalls([link], new UidTable(), new SteadyClock(time), time, new GatewayId(1), static _ => true, log);
        calls.Attach(server.Services.GetRequiredService<IClusterClient>(), null!);
        return calls;
    }

    private async Task ExpectPauseAsync(ShardCalls calls, int milliseconds)
    {
        calls.Call(tick: null);
        TimeSpan wait;
        do
        {
            wait = await time.NextWaitAsync(TestContext.Current.CancellationToken);
        }
        while (wait == ClusterHosting.Patience); // for the answer to a call that was made at once

        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), wait);
    }

    private static ShardAnswer Answer(long activation) => new(activation, MustDeclare: true, 7, default, DateTimeOffset.UnixEpoch, [], []);
}
