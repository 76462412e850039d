using Microsoft.Extensions.DependencyInjection;
using StatusDaemon.Auth;
using StatusDaemon.EndToEnd;
using StatusDaemon.Protocol;
using static StatusDaemon.Privileges.SmallDirectories;

namespace StatusDaemon.Gateway;

public sealed class GatewayLoopTests
{
    [Fact]
    public async Task A_loop_that_fails_ends_the_server_and_is_not_missing_in_silence()
    {
        await using var server = await ServerHere.StartAsync();
        var loop = server.Services.GetRequiredService<GatewayLoop>();
        var joined = new TaskCompletionSource<Client>(TaskCreationOptions.RunContinuationsAsynchronously);
        var socket = new ClientSocket(new Caller(UidOf("a"), Subscriber: null, TicketEnd: null), new FaultySink());
        await loop.PostAsync(new LoopInput.Join(UidOf("a"), new ClientOrigin("a", "a test"), socket, joined), TestContext.Current.CancellationToken);

        await loop.PostAsync(new LoopInput.Reply(await joined.Task, ErrorMessage.NotJson.Frame), TestContext.Current.CancellationToken);

        Assert.False(await server.EndedAsync());
        Assert.False(await loop.PostAsync(new LoopInput.Tick(), TestContext.Current.CancellationToken));
    }

    private sealed class FaultySink : IFrameSink
    {
        public bool TryWrite(ReadOnlySpan<byte> frame) => throw new InvalidTimeZoneException("a fault that nobody foresaw");

        public bool Flush() => true;

        public void Close(CloseCode code, string reason)
        {
        }
    }
}
