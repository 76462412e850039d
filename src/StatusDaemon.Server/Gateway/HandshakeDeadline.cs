using Microsoft.AspNetCore.Connections;

namespace StatusDaemon.Gateway;

/// <summary>Ends a connection whose first request is not complete in time: <c>SERVICE.limits.handshake</c>, TLS included.</summary>
/// <remarks>Kestrel has limits for the first byte and for the headers after it, each with a second of tolerance, but none for both together.</remarks>
internal sealed class HandshakeDeadline : IDisposable
{
    private readonly ITimer timer;

    private HandshakeDeadline(ConnectionContext connection, TimeSpan limit, TimeProvider time) =>
        timer = time.CreateTimer(static state => ((ConnectionContext)state!).Abort(), connection, limit, Timeout.InfiniteTimeSpan);

    /// <summary>Puts a deadline on each connection of a listener.</summary>
    public static ConnectionDelegate Middleware(ConnectionDelegate next, TimeSpan limit, TimeProvider time) => async connection =>
    {
        using var deadline = new HandshakeDeadline(connection, limit, time);
        connection.Features.Set(deadline);
        await next(connection);
    };

    /// <summary>The request is complete.</summary>
    public void Dispose() => timer.Dispose();
}
