using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace StatusDaemon.Transport;

/// <summary>A listening socket: its connections go to the loops in turn, and to Kestrel.</summary>
internal sealed class LoopListener : IConnectionListener
{
    private readonly Channel<ConnectionContext> accepted = Channel.CreateUnbounded<ConnectionContext>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Socket listening;
    private readonly AcceptingSocket accepting;
    private readonly IReadOnlyList<SocketLoop> loops;
    private readonly MemoryPool<byte> pool;
    private readonly TransportLimits limits;
    private readonly Arrivals arrivals;
    private long connections;

    private LoopListener(Socket listening, IReadOnlyList<SocketLoop> loops, MemoryPool<byte> pool, TransportLimits limits, Action<int> failed)
    {
        this.listening = listening;
        this.loops = loops;
        this.pool = pool;
        this.limits = limits;
        EndPoint = listening.LocalEndPoint!;
        arrivals = new Arrivals(limits.Arrivals);
        accepting = new AcceptingSocket(loops[0], (int)listening.Handle, arrivals, Take, failed);
    }

    /// <inheritdoc/>
    public EndPoint EndPoint { get; }

    /// <summary>Begins to listen.</summary>
    /// <param name="failed">Told the system's error number when a connection could not be taken; it is tried again a moment later.</param>
    /// <exception cref="AddressInUseException">Somebody else listens there.</exception>
    public static LoopListener Listen(IPEndPoint endPoint, IReadOnlyList<SocketLoop> loops, MemoryPool<byte> pool, TransportLimits limits, Action<int> failed)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        try
        {
            if (endPoint.Address.Equals(IPAddress.IPv6Any))
            {
                socket.DualMode = true;
            }

            socket.Bind(endPoint);
            socket.Listen(limits.Backlog);
            var listener = new LoopListener(socket, loops, pool, limits, failed);
            loops[0].Post(static one => ((AcceptingSocket)one!).Begin(), listener.accepting);
            return listener;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            socket.Dispose();
            throw new AddressInUseException(e.Message, e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await accepted.Reader.WaitToReadAsync(cancellationToken))
        {
            if (accepted.Reader.TryRead(out var connection))
            {
                return connection;
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        loops[0].Post(static one => ((AcceptingSocket)one!).End(), accepting);
        await Task.WhenAny(accepting.Ended, loops[0].Ended).WaitAsync(cancellationToken); // a loop that has failed takes nobody
        accepted.Writer.TryComplete();
        listening.Dispose();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => UnbindAsync();

    private void Take(int number, IPEndPoint? peer)
    {
        NativeSocket.Prepare(number, limits.SocketBufferBytes, limits.UnsentBytes);
        var id = connections++;
        var loop = loops[(int)(id % loops.Count)];
        var connection = new LoopConnection(id.ToString("x", CultureInfo.InvariantCulture), loop, number, EndPoint, peer, arrivals.Enter(), pool, limits.PipeBytes);
        connection.Begin();
        if (!accepted.Writer.TryWrite(connection))
        {
            connection.Abort();
        }
    }
}
