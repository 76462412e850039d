using System.Text.Json;

namespace StatusDaemon.EndToEnd;

/// <summary><c>statusd test-client</c>: in the sandbox realm of a first run, and with a KDC that is not ours.</summary>
public sealed class TestClientTests(KerberosServer kerberos) : IClassFixture<KerberosServer>
{
    [Fact]
    public async Task In_the_sandbox_two_of_them_talk_skip_what_they_do_not_know_and_leave_at_Ctrl_C_with_0()
    {
        await using var server = await StatusdProcess.StartAsync("STORAGE: { flush: 200ms }", """
            subscribers:
              - { uid: uid-alice, dname: alice@SANDBOX.LOCAL }
              - { uid: uid-bob, dname: bob@SANDBOX.LOCAL }
              - { uid: uid-carol, dname: carol@SANDBOX.LOCAL, black: [uid-alice] }

            """);
        Assert.Contains("SANDBOX REALM SANDBOX.LOCAL", server.Output, StringComparison.Ordinal);
        var nothing = new Dictionary<string, string>();
        await using var alice = ClientProcess.TestClient(
            server, nothing, "--as", "alice@SANDBOX.LOCAL", "-rn", "bob@SANDBOX.LOCAL", "nobody@SANDBOX.LOCAL", "carol@SANDBOX.LOCAL", "-s", "DO_NOT_DISTURB", "-sl", "0.1", "--json");
        await using var bob = ClientProcess.TestClient(
            server, nothing, "--as", "bob@SANDBOX.LOCAL", "--remote-names", "alice@SANDBOX.LOCAL", "--status", "ENABLE", "nonsense", "2", "--sleep", "0.1");

        await alice.SeesErrorAsync("nobody@SANDBOX.LOCAL is unknown to the server, or hidden from you, and is skipped.");
        await alice.SeesErrorAsync("carol@SANDBOX.LOCAL is unknown to the server, or hidden from you, and is skipped.");
        await alice.SeesErrorAsync($"Connected to ws://127.0.0.1:{server.Port}/pubsub, watching 1.");
        await bob.SeesErrorAsync("\"nonsense\" is not a status and is skipped; statuses are 1 to 8: ENABLE");
        await bob.SeesAsync("alice@SANDBOX.LOCAL  DO_NOT_DISTURB");
        await alice.SeesAsync("\"ENABLE\"");
        await alice.SeesAsync("\"BUSY\"");
        using var again = JsonDocument.Parse(await alice.SeesAsync("\"ENABLE\""));
        Assert.Equal(("uid-bob", "bob@SANDBOX.LOCAL"), (again.RootElement.GetProperty("publisher").GetString(), again.RootElement.GetProperty("dname").GetString()));
        Assert.InRange(again.RootElement.GetProperty("delay_ms").GetDouble(), 0, 20_000);

        alice.Signal();
        bob.Signal();
        Assert.Equal((0, 0), (await alice.EndedAsync(), await bob.EndedAsync()));
    }

    [Fact]
    public async Task What_a_Russian_start_prints_is_Russian_and_works_as_printed_and_without_the_server_the_client_says_so()
    {
        await using var server = await StatusdProcess.StartAsync(
            "LOG: { level: error }",
            "subscribers: [{ uid: uid-alice, dname: alice@SANDBOX.LOCAL }, { uid: uid-bob, dname: bob@SANDBOX.LOCAL }]",
            new Dictionary<string, string> { ["LC_ALL"] = "ru_RU.UTF-8" });
        await server.SeesAsync("Ctrl-C завершает работу.");
        Assert.Contains($"status-daemon работает: ws://127.0.0.1:{server.Port}/pubsub, http://127.0.0.1:{server.Port}/directory", server.Output, StringComparison.Ordinal);
        Assert.EndsWith("; клиенты из SANDBOX.LOCAL", Assert.Single(server.Output.Split('\n'), line => line.StartsWith("Вход: ", StringComparison.Ordinal)), StringComparison.Ordinal);
        var printed = server.Output.Split('\n').Where(line => line.StartsWith("  ", StringComparison.Ordinal)).ToArray();
        Assert.Equal(3, printed.Length);

        await using (var watcher = AsPrinted(printed[0]))
        await using (var publisher = AsPrinted(printed[1]))
        await using (var health = AsPrinted(printed[2]))
        {
            await watcher.SeesAsync("bob@SANDBOX.LOCAL  ENABLE");
            await publisher.SeesAsync("  published ENABLE");
            Assert.Equal(0, await health.EndedAsync());
        }

        Assert.Equal(0, await server.StopAsync());
        await using var late = AsPrinted(printed[0]);
        Assert.Equal(1, await late.EndedAsync());
        Assert.Contains("statusd: The sandbox realm does not answer: its server is not running. Start it with \"statusd up\".", late.Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_wait_it_ends_after_so_many_notifications()
    {
        await using var dave = Client("dave", "-rn", "dave@ALPHA.TEST", "-s", "BUSY", "-sl", "0", "--count", "3");

        Assert.Equal(0, await dave.EndedAsync());
        Assert.Equal(3, dave.Said.Split('\n').Count(line => line.Contains("  dave@ALPHA.TEST  ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Without_a_wait_it_ends_at_Ctrl_C_with_0()
    {
        await using var erin = Client("erin", "-rn", "erin@ALPHA.TEST", "-s", "BUSY", "-sl", "0");
        await erin.SeesAsync("erin@ALPHA.TEST  BUSY");

        erin.Signal();

        Assert.Equal(0, await erin.EndedAsync());
    }

    [Fact]
    public async Task Whose_ticket_has_expired_is_told_so()
    {
        var environment = new Dictionary<string, string>(kerberos.Realm.ClientEnvironment(KerberosServer.NameOf("alice")));
        await using (var kinit = ClientProcess.Start("/usr/bin/kinit", ["-k", "-t", environment["KRB5_CLIENT_KTNAME"], "-l", "1s", "alice"], environment))
        {
            Assert.Equal(0, await kinit.EndedAsync());
        }

        environment["KRB5_CLIENT_KTNAME"] = "FILE:/nowhere";
        while (await IsGoodAsync())
        {
            await Task.Delay(100, TestContext.Current.CancellationToken); // that the ticket has ended can only be asked
        }

        await using var alice = ClientProcess.TestClient(kerberos.Server, environment, "-s", "BUSY");
        await alice.SeesErrorAsync("statusd: Your Kerberos ticket has expired: get a new one with kinit.");
        Assert.Equal(1, await alice.EndedAsync());

        async Task<bool> IsGoodAsync()
        {
            await using var kvno = ClientProcess.Start("/usr/bin/kvno", ["-q", "HTTP/localhost"], environment);
            return await kvno.EndedAsync() == 0;
        }
    }

    [Fact]
    public async Task A_host_that_nobody_knows_is_named_before_Kerberos_is()
    {
        await using var alice = Client("alice", "-s", "BUSY", "-rh", "nohost.invalid");

        Assert.Equal(1, await alice.EndedAsync());
        Assert.Contains("/pubsub: the host nohost.invalid is not known.", alice.Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_expects_TLS_of_a_server_without_it_is_told_so()
    {
        await using var alice = Client("alice", "-s", "BUSY", "--tls");

        Assert.Equal(1, await alice.EndedAsync());
        Assert.Contains("the TLS handshake failed; a server without SERVICE.tls is reached without --tls.", alice.Said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-s NONSENSE")]
    [InlineData("-rn nobody@ALPHA.TEST carol@ALPHA.TEST")]
    [InlineData("-rn nobody@ALPHA.TEST -s NONSENSE")]
    public async Task Who_has_nothing_left_to_do_is_told_what_was_skipped_and_ends_with_1(string options)
    {
        await using var alice = Client("alice", options.Split(' '));

        await alice.SeesErrorAsync("skipped");
        await alice.SeesErrorAsync("statusd: Nothing is left to watch or to publish.");
        Assert.Equal(1, await alice.EndedAsync());
    }

    [Fact]
    public async Task With_a_keytab_of_another_KDC_two_of_them_talk()
    {
        await using var alice = Client("alice", "-rn", "bob@ALPHA.TEST", "-s", "ABSENT", "-sl", "0.1");
        await using var bob = Client("bob", "-rn", "alice@ALPHA.TEST", "-s", "INCOMING", "-sl", "0.1");

        await bob.SeesAsync("alice@ALPHA.TEST  ABSENT");
        await alice.SeesAsync("bob@ALPHA.TEST  INCOMING");
        alice.Signal();
        bob.Signal();
        Assert.Equal((0, 0), (await alice.EndedAsync(), await bob.EndedAsync()));
    }

    [Fact]
    public async Task Who_is_no_subscriber_is_told_so_and_it_ends_with_1()
    {
        await using var stranger = Client("stranger", "-s", "BUSY");

        Assert.Contains("stranger@ALPHA.TEST is not a subscriber here.", await stranger.SeesErrorAsync("403"), StringComparison.Ordinal);
        Assert.Equal(1, await stranger.EndedAsync());
    }

    [Fact]
    public async Task Who_has_no_ticket_is_told_how_to_get_one_and_it_ends_with_1()
    {
        var environment = new Dictionary<string, string>(kerberos.Realm.ClientEnvironment(KerberosServer.NameOf("alice"))) { ["KRB5_CLIENT_KTNAME"] = "FILE:/nowhere" };
        await using var alice = ClientProcess.TestClient(kerberos.Server, environment, "-s", "BUSY");

        await alice.SeesErrorAsync("You have no Kerberos ticket: get one with kinit");
        Assert.Equal(1, await alice.EndedAsync());
    }

    /// <summary>A command of the start's screen, in a terminal of its own.</summary>
    private static ClientProcess AsPrinted(string command) => ClientProcess.Start(
        "/bin/bash",
        ["-c", command.Replace("./statusd", $"dotnet {Path.Combine(AppContext.BaseDirectory, "statusd.dll")}", StringComparison.Ordinal)],
        new Dictionary<string, string> { ["LC_ALL"] = "C.UTF-8" });

    private ClientProcess Client(string user, params string[] options) =>
        ClientProcess.TestClient(kerberos.Server, kerberos.Realm.ClientEnvironment(KerberosServer.NameOf(user)), options);
}
