using System.IO.Pipelines;
using System.Net.Sockets;
using StatusDaemon.Protocol;

namespace StatusDaemon.Gateway;

/// <summary>The write side over a pipe.</summary>
public sealed class PipeSinkTests
{
    [Fact]
    public async Task A_transport_that_failed_throws_nothing_at_the_loop_and_can_be_closed()
    {
        var pipe = new Pipe();
        var sink = new PipeSink(pipe.Writer, hasPeerLeft: () => false, drained: () => { });
        await pipe.Reader.CompleteAsync(new SocketException((int)SocketError.HostUnreachable));

        Assert.True(sink.TryWrite(ServerFrame.Ping));
        Assert.True(sink.Flush());
        sink.Close(CloseCode.Normal, "");

        await sink.Closed.WaitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_pipe_that_its_owner_took_back_throws_nothing_at_the_loop()
    {
        var pipe = new Pipe();
        var sink = new PipeSink(pipe.Writer, hasPeerLeft: () => false, drained: () => { });
        await pipe.Writer.CompleteAsync();

        Assert.True(sink.TryWrite(ServerFrame.Ping));
        Assert.True(sink.Flush());
        sink.Close(CloseCode.Normal, "");

        await sink.Closed.WaitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Closing_is_known_at_once_though_the_peer_takes_nothing()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 4, resumeWriterThreshold: 2));
        var drained = new TaskCompletionSource();
        var sink = new PipeSink(pipe.Writer, hasPeerLeft: () => false, drained: drained.SetResult);
        Assert.True(sink.TryWrite(new byte[8]));
        Assert.False(sink.Flush());

        sink.Close(CloseCode.TryAgainLater, "");

        Assert.True(sink.Closing.IsCompleted);
        Assert.False(sink.Closed.IsCompleted);
        var read = await pipe.Reader.ReadAsync(TestContext.Current.CancellationToken);
        pipe.Reader.AdvanceTo(read.Buffer.End);
        await drained.Task;
    }
}
