using System.Net.WebSockets;

namespace StatusDaemon.EndToEnd;

/// <summary><c>wss://</c> and <c>https://</c>.</summary>
public sealed class TlsTests(TlsServer tls) : IClassFixture<TlsServer>
{
    [Fact]
    public async Task Clients_log_in_and_see_each_other_over_TLS_and_who_speaks_plain_harms_nobody()
    {
        await using var alice = ClientProcess.Python(tls.Realm, "alice", tls.Server, "--ca", tls.Certificate);
        Assert.Equal("101 proved", await alice.AskAsync("connect"));
        Assert.Equal("""{"status":8,"publisher":"uid-bob"}""", await alice.AskAsync("""send {"events":{"uid-bob":9}}"""));
        Assert.StartsWith("""200 proved {"subscribers":[{"uid":"uid-bob",""", await alice.AskAsync("get /directory?number=2002"), StringComparison.Ordinal);

        using (var plain = new ClientWebSocket())
        {
            await Assert.ThrowsAsync<WebSocketException>(() => plain.ConnectAsync(
                new UriBuilder(tls.Server.Address("localhost", "/pubsub")) { Scheme = "ws" }.Uri, TestContext.Current.CancellationToken));
        }

        // Ours takes host, port, TLS and service name from the server's settings; whom to trust is the machine's affair.
        await using var bob = ClientProcess.TestClient(
            tls.Server,
            new Dictionary<string, string>(tls.Realm.ClientEnvironment(KerberosServer.NameOf("bob"))) { ["SSL_CERT_FILE"] = tls.Certificate },
            "-rn", "alice@ALPHA.TEST", "-s", "INCOMING", "-sl", "0.1", "--json");
        Assert.Contains("\"status\":4,\"publisher\":\"uid-bob\"", await alice.ReadAsync(), StringComparison.Ordinal);
        await alice.SayAsync("""send {"status":6}""");
        await bob.SeesAsync("\"ABSENT\"");
        bob.Signal();
        Assert.Equal(0, await bob.EndedAsync());
    }

    [Fact]
    public async Task Who_does_not_trust_the_certificate_does_not_talk()
    {
        await using var bob = ClientProcess.TestClient(tls.Server, tls.Realm.ClientEnvironment(KerberosServer.NameOf("bob")), "-s", "BUSY");

        Assert.Equal(1, await bob.EndedAsync());
        Assert.Contains("/pubsub: its certificate is not trusted by this machine: ", bob.Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_speaks_plain_is_told_of_TLS()
    {
        await using var bob = ClientProcess.Start(
            "dotnet",
            [Path.Combine(AppContext.BaseDirectory, "statusd.dll"), "-tc", "-rh", "127.0.0.1", "-p", $"{tls.Server.Port}", "--service", "HTTP@localhost", "-s", "BUSY"],
            new Dictionary<string, string>(tls.Realm.ClientEnvironment(KerberosServer.NameOf("bob"))) { ["LC_ALL"] = "C.UTF-8", ["STATUSD_HOME"] = "/nowhere" });

        Assert.Equal(1, await bob.EndedAsync());
        Assert.Contains("a server with SERVICE.tls is reached with --tls.", bob.Said, StringComparison.Ordinal);
    }
}
