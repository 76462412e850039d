using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace StatusDaemon.Cluster;

/// <summary>The sockets between members: Kestrel's, which tell within seconds that the other end is gone. Those of Orleans leave that to the kernel, which tries for a quarter of an hour.</summary>
/// <remarks>After a cut cable, or a machine that is lost, nothing is acknowledged any more; a connection that is given up is made again, if need be to another member.</remarks>
internal sealed class MemberSockets : IConnectionFactory, IConnectionListenerFactory, IDisposable
{
    /// <summary>How long what was sent, or the question whether somebody is there, may stay without acknowledgement, and what is to be sent find no room at the other end.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    private const int Tcp = 6;
    private const int UserTimeout = 18; // TCP_USER_TIMEOUT, in milliseconds

    private readonly SocketTransportFactory listeners;
    private readonly SocketConnectionContextFactory contexts;

    public MemberSockets(ILoggerFactory logs)
    {
        listeners = new SocketTransportFactory(Options.Create(new SocketTransportOptions { CreateBoundListenSocket = Bind }), logs);
        contexts = new SocketConnectionContextFactory(new SocketConnectionFactoryOptions(), logs.CreateLogger<MemberSockets>());
    }

    /// <summary>Puts them into the place of those of Orleans, whatever for.</summary>
    /// <param name="kinds">What they are registered as.</param>
    /// <exception cref="InvalidOperationException">There are none of a kind: Orleans has them elsewhere now, and a cut cable would stay unnoticed.</exception>
    public static void Replace(IServiceCollection services, params ReadOnlySpan<Type> kinds)
    {
        services.AddSingleton<MemberSockets>();
        foreach (var kind in kinds)
        {
            var theirs = services.Where(service => service.IsKeyedService && service.ServiceType == kind).ToArray();
            if (theirs.Length == 0)
            {
                throw new InvalidOperationException($"Orleans has no {kind.Name} with a key to put {nameof(MemberSockets)} in the place of.");
            }

            foreach (var service in theirs)
            {
                services.Remove(service);
                services.AddKeyedSingleton(kind, service.ServiceKey, static (provider, _) => provider.GetRequiredService<MemberSockets>());
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var socket = Make(endpoint);
        try
        {
            await socket.ConnectAsync(endpoint, cancellationToken);
            return contexts.Create(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) => listeners.BindAsync(endpoint, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => contexts.Dispose();

    // Who is accepted has the options of the socket that listens.
    private static Socket Bind(EndPoint endpoint)
    {
        var socket = Make(endpoint);
        socket.Bind(endpoint);
        return socket;
    }

    private static Socket Make(EndPoint endpoint)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.SetRawSocketOption(Tcp, UserTimeout, BitConverter.GetBytes((int)Limit.TotalMilliseconds));
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 1);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 1);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, (int)Limit.TotalSeconds);
        return socket;
    }
}
