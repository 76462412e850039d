using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace StatusDaemon.Transport;

/// <summary>A connection as Kestrel sees it: two pipes over a socket of one of our loops.</summary>
internal sealed class LoopConnection : DefaultConnectionContext, IMemoryPoolFeature, IPeerFeature
{
    private readonly CancellationTokenSource closed = new();
    private readonly SocketLoop loop;
    private readonly HttpSocket socket;
    private readonly Arrivals.Arrival arrival;
    private Task closing = Task.CompletedTask;

    /// <param name="arrival">Given back when it is over, unless that has happened.</param>
    /// <param name="pool">Of both pipes.</param>
    /// <param name="bufferBytes">What a peer may send ahead of Kestrel, and Kestrel ahead of the peer.</param>
    public LoopConnection(string id, SocketLoop loop, int number, EndPoint? local, EndPoint? remote, Arrivals.Arrival arrival, MemoryPool<byte> pool, int bufferBytes)
        : base(id)
    {
        this.loop = loop;
        this.arrival = arrival;
        MemoryPool = pool;
        LocalEndPoint = local;
        RemoteEndPoint = remote;
        ConnectionClosed = closed.Token;
        var input = new Pipe(new PipeOptions(pool, PipeScheduler.ThreadPool, loop.Scheduler, bufferBytes, bufferBytes / 2, useSynchronizationContext: false));
        var output = new Pipe(new PipeOptions(pool, loop.Scheduler, PipeScheduler.ThreadPool, bufferBytes, bufferBytes / 2, useSynchronizationContext: false));
        socket = new HttpSocket(loop, number, input.Writer, output.Reader, OnClosed);
        Transport = new Both(input.Reader, output.Writer);
        Application = new Both(output.Reader, input.Writer);
        Features.Set<IMemoryPoolFeature>(this);
        Features.Set<IPeerFeature>(this);
        Features.Set(loop);
        Features.Set(arrival);
    }

    /// <inheritdoc/>
    public MemoryPool<byte> MemoryPool { get; }

    /// <inheritdoc/>
    public bool HasLeft => socket.IsPeerEnding;

    /// <summary>Begins to receive and to send.</summary>
    public void Begin() => loop.Post(static socket => ((HttpSocket)socket!).Begin(), socket);

    /// <summary>
    /// Takes the socket away from Kestrel as soon as Kestrel is through with it: when the request is answered, all of the answer is sent, and nothing of
    /// HTTP is kept. Call it after the upgrade, as the last thing that a request does.
    /// </summary>
    /// <param name="adopt">Makes the socket's next owner out of its loop, its number, and the bytes that came behind the request; called on the loop.</param>
    /// <returns>False if the connection has ended already; then nobody adopts it.</returns>
    public async Task<bool> DetachAsync(Func<SocketLoop, int, ReadOnlyMemory<byte>, LoopSocket> adopt)
    {
        var behind = Array.Empty<byte>();
        var left = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Post(_ => left.SetResult(socket.LeaveTo(() => adopt(loop, socket.Number, behind))), null);
        if (!await left.Task)
        {
            return false;
        }

        var read = await Transport.Input.ReadAsync();
        while (!read.IsCompleted)
        {
            Transport.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            read = await Transport.Input.ReadAsync();
        }

        behind = read.Buffer.ToArray();
        Transport.Input.AdvanceTo(read.Buffer.End);
        return true;
    }

    /// <inheritdoc/>
    public override void Abort(ConnectionAbortedException abortReason) => loop.Post(static socket => ((HttpSocket)socket!).Abort(), socket);

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await Transport.Input.CompleteAsync();
        await Transport.Output.CompleteAsync();
        await socket.Ended;
        await closing;
        arrival.Dispose();
        closed.Dispose();
        await base.DisposeAsync();
    }

    private void OnClosed() => closing = closed.CancelAsync(); // what hangs on it runs elsewhere

    private sealed record Both(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
