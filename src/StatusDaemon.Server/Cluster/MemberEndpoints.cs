using System.Net;
using System.Net.Sockets;

namespace StatusDaemon.Cluster;

/// <summary>The endpoints of this silo, kept from before it starts until its host is gone.</summary>
/// <remarks>
/// Orleans has to know its port before it listens, as the port is part of the silo's name, so "bind to 0" is not open to
/// it. We bind instead and never listen: the kernel then gives the port to nobody who asks for a free one, while the
/// listener (<see cref="MemberSockets"/>) may join it, since .NET sets SO_REUSEADDR for both. A port that is already
/// listened on is refused here, before anything has begun.
/// </remarks>
internal sealed class MemberEndpoints : IDisposable
{
    private readonly Socket silo;
    private readonly Socket? gateway;

    private MemberEndpoints(Socket silo, Socket? gateway)
    {
        this.silo = silo;
        this.gateway = gateway;
    }

    /// <summary>Where other silos connect.</summary>
    public IPEndPoint Silo => (IPEndPoint)silo.LocalEndPoint!;

    /// <summary>Where clients in other processes connect; null when they can not.</summary>
    public IPEndPoint? Gateway => (IPEndPoint?)gateway?.LocalEndPoint;

    /// <summary>Takes the ports that the set-up names, or free ones.</summary>
    /// <exception cref="IOException">A port is in use, or the address is not one of this machine.</exception>
    public static MemberEndpoints Reserve(SiloSetup setup)
    {
        var silo = Bind(setup.Silo);
        try
        {
            return new MemberEndpoints(silo, setup.GatewayPort is { } port ? Bind(new IPEndPoint(setup.Silo.Address, port)) : null);
        }
        catch
        {
            silo.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        silo.Dispose();
        gateway?.Dispose();
    }

    private static Socket Bind(IPEndPoint endpoint)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(endpoint);
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new IOException($"{endpoint}: {e.Message}. Stop what listens there, or set CLUSTER.host to an address of this machine, and CLUSTER.silo_port and CLUSTER.gateway_port to ports that are free.", e);
        }
    }
}
