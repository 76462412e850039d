using Microsoft.AspNetCore.Connections;

namespace StatusDaemon.Gateway;

/// <summary>Ends a connection whose first request is not complete in time: <c>SERVICE.limits.handshake</c>, TLS included, or the end of the drain.</summary>
/// <remarks>
/// Kestrel has limits for the first byte and for the headers after it, each with a second of tolerance, but none for both together; and when it stops it
/// waits for half a request as for any other.
/// </remarks>
internal sealed class HandshakeDeadline : IDisposable
{
    private readonly ITimer timer;
    private readonly CancellationTokenRegistration ending;

    private HandshakeDeadline(ConnectionContext connection, TimeSpan limit, TimeProvider time, CancellationToken drained)
    {
        timer = time.CreateTimer(Abort, connection, limit, Timeout.InfiniteTimeSpan);
        ending = drained.UnsafeRegister(Abort, connection);
    }

    /// <summary>Puts a deadline on each connection of a listener.</summary>
    /// <param name="drained">Nobody is let in any more.</param>
    public static ConnectionDelegate Middleware(ConnectionDelegate next, TimeSpan limit, TimeProvider time, CancellationToken drained) => async connection =>
    {
        using var deadline = new HandshakeDeadline(connection, limit, time, drained);
        connection.Features.Set(deadline);
        await next(connection);
    };

    /// <summary>The request is complete.</summary>
    public void Dispose()
    {
        timer.Dispose();
        ending.Dispose();
    }

    private static void Abort(object? connection) => ((ConnectionContext)connection!).Abort();
}
