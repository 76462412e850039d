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

    private ClientProcess Client(string user, params string[] options) =>
        ClientProcess.TestClient(kerberos.Server, kerberos.Realm.ClientEnvironment(KerberosServer.NameOf(user)), options);
}
