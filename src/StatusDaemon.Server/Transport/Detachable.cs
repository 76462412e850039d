using Microsoft.AspNetCore.Connections;

namespace StatusDaemon.Transport;

/// <summary>The offer to take a connection's socket away from Kestrel when its request is answered.</summary>
/// <remarks>
/// Only a listener without TLS makes it, so nobody can write plain bytes into an encrypted stream: under TLS a request finds no such feature.
/// </remarks>
internal sealed class Detachable
{
    private readonly LoopConnection connection;

    private Detachable(LoopConnection connection) => this.connection = connection;

    /// <summary>Makes the offer on each connection of a listener.</summary>
    public static ConnectionDelegate Offer(ConnectionDelegate next) => connection =>
    {
        connection.Features.Set(new Detachable((LoopConnection)connection));
        return next(connection);
    };

    /// <inheritdoc cref="LoopConnection.DetachAsync"/>
    public Task<bool> DetachAsync(Func<SocketLoop, int, ReadOnlyMemory<byte>, LoopSocket> adopt) => connection.DetachAsync(adopt);
}
