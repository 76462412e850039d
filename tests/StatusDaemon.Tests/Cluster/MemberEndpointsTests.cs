using System.Net;
using System.Net.Sockets;

namespace StatusDaemon.Cluster;

public sealed class MemberEndpointsTests
{
    [Fact]
    public void A_kept_port_is_given_to_nobody_else_who_wants_a_free_one()
    {
        var kept = Enumerable.Range(0, 200).Select(_ => MemberEndpoints.Reserve(TestSilo.Setup() with { GatewayPort = 0 })).ToArray();
        try
        {
            Assert.Equal(400, kept.SelectMany(endpoints => new[] { endpoints.Silo.Port, endpoints.Gateway!.Port }).Distinct().Count());
        }
        finally
        {
            Array.ForEach(kept, endpoints => endpoints.Dispose());
        }
    }

    [Fact]
    public void A_port_on_which_another_silo_listens_is_refused()
    {
        using var reserved = MemberEndpoints.Reserve(TestSilo.Setup());
        using var listener = Listen(reserved.Silo); // what Orleans does: it may join the kept port

        Assert.Throws<IOException>(() => MemberEndpoints.Reserve(TestSilo.Setup() with { Silo = reserved.Silo }));
        Assert.Throws<IOException>(() => MemberEndpoints.Reserve(TestSilo.Setup() with { GatewayPort = reserved.Silo.Port }));
    }

    [Fact]
    public void A_port_is_free_again_once_it_is_let_go()
    {
        var endpoints = MemberEndpoints.Reserve(TestSilo.Setup());
        var port = endpoints.Silo;
        endpoints.Dispose();

        using var again = MemberEndpoints.Reserve(TestSilo.Setup() with { Silo = port });
        Assert.Equal(port, again.Silo);
    }

    private static Socket Listen(IPEndPoint endpoint)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        socket.Bind(endpoint);
        socket.Listen();
        return socket;
    }
}
