using System.Security.Cryptography;
using StatusDaemon.Auth;

namespace StatusDaemon.EndToEnd;

/// <summary>What the end of a ticket does to the connection that it opened.</summary>
public sealed class TicketEndTests(KerberosRealm realm)
{
    [Fact]
    public async Task A_connection_is_closed_with_its_ticket_where_the_server_is_set_to_mind_that()
    {
        var key = RandomNumberGenerator.GetBytes(32);
        await using var server = await StatusdProcess.StartAsync(
            $"AUTH: {{ keytab: {KerberosServer.MakeKeytab(realm, key)}, servicename: [HTTP@localhost, HTTP@forged.test], close_at_ticket_end: true }}", KerberosServer.Directory);
        var ticket = ForgedTicket.Good(key) with { Service = KerberosServer.ForgedService };
        await using var bob = await TestSocket.ConnectAsync(server, ticket with { Client = "bob" });
        await using var alice = await TestSocket.ConnectAsync(server, ticket with { Client = "alice", End = DateTimeOffset.UtcNow + TimeSpan.FromSeconds(4) });
        await alice.WatchAsync("uid-bob");

        Assert.Null(await alice.ReceiveAsync());

        Assert.Equal((1008, "the ticket has ended"), ((int?)alice.CloseStatus, alice.Socket.CloseStatusDescription));
        Assert.Equal("""{"status":8,"publisher":"uid-bob"}""", await bob.WatchAsync("uid-bob"));
    }
}
