using System.Diagnostics;
using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using StatusDaemon.Auth;
using StatusDaemon.Names;
using StatusDaemon.Privileges;

namespace StatusDaemon.Sandbox;

public sealed class SandboxRealmTests : IDisposable
{
    private const string Started = "The sandbox to be killed is up.";
    private const string StateVariable = "STATUSD_TEST_STATE";

    private readonly string state = Directory.CreateTempSubdirectory("statusd-sandbox-").FullName;

    public void Dispose() => Directory.Delete(state, recursive: true);

    [Fact]
    public async Task Subscribers_of_several_realms_can_log_in_at_every_name_of_the_host()
    {
        await using var sandbox = await StartAsync("alice@ALPHA.TEST", "bob@BETA.TEST", "carol/admin@ALPHA.TEST");
        using var acceptor = Acceptor(sandbox);

        foreach (var (user, host) in new[] { ("alice@ALPHA.TEST", "localhost"), ("bob@BETA.TEST", "127.0.0.1"), ("carol/admin@ALPHA.TEST", Dns.GetHostName()) })
        {
            var accepted = Assert.IsType<GssOutcome.Accepted>(acceptor.Accept(await TokenAsync(sandbox.Description, user, host)));
            Assert.Equal(user, accepted.Client.ToString());
        }
    }

    [Fact]
    public async Task Service_names_of_the_settings_count()
    {
        await using var sandbox = await SandboxRealm.StartAsync(
            state, new AuthOptions { ServiceNames = ["HTTP@pbx.example.org"] }, Of("alice@ALPHA.TEST"), NullLogger<SandboxRealm>.Instance, TestContext.Current.CancellationToken);
        using var acceptor = Acceptor(sandbox);

        Assert.IsType<GssOutcome.Accepted>(acceptor.Accept(await TokenAsync(sandbox.Description, "alice@ALPHA.TEST", "pbx.example.org")));
    }

    [Fact]
    public async Task Other_processes_find_it_and_only_the_owner_can_look_inside()
    {
        await using var sandbox = await StartAsync("alice@ALPHA.TEST");

        Assert.True(SandboxDescription.TryFind(state, out var found));

        Assert.Equal(sandbox.Description.KeytabOf(Name("alice@ALPHA.TEST")), found.KeytabOf(Name("alice@ALPHA.TEST")));
        Assert.True(File.Exists(found.KeytabOf(Name("alice@ALPHA.TEST"))));
        Assert.Equal(["ALPHA.TEST"], found.Realms);
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(SandboxDescription.FolderUnder(state)));
    }

    [Fact]
    public void Where_there_was_no_sandbox_none_is_found() => Assert.False(SandboxDescription.TryFind(state, out _));

    [Fact]
    public async Task New_subscribers_get_keys_while_it_runs_also_in_a_new_realm()
    {
        await using var sandbox = await StartAsync("alice@ALPHA.TEST");
        await sandbox.EnsureAsync(Of("alice@ALPHA.TEST", "dave@ALPHA.TEST", "bob@BETA.TEST"), TestContext.Current.CancellationToken);
        using var acceptor = Acceptor(sandbox);

        foreach (var user in (string[])["dave@ALPHA.TEST", "bob@BETA.TEST", "alice@ALPHA.TEST"])
        {
            Assert.IsType<GssOutcome.Accepted>(acceptor.Accept(await TokenAsync(sandbox.Description, user)));
        }
    }

    [Fact]
    public async Task A_restart_keeps_keys_so_that_tickets_stay_good()
    {
        byte[] token;
        await using (var first = await StartAsync("alice@ALPHA.TEST"))
        {
            token = await TokenAsync(first.Description, "alice@ALPHA.TEST");
        }

        await using var second = await StartAsync("alice@ALPHA.TEST");
        using var acceptor = Acceptor(second);

        Assert.IsType<GssOutcome.Accepted>(acceptor.Accept(token));
        Assert.IsType<GssOutcome.Accepted>(acceptor.Accept(await TokenAsync(second.Description, "alice@ALPHA.TEST")));
    }

    [Theory, InlineData("ALPHA.TEST.db"), InlineData("ALPHA.TEST.stash"), InlineData("sandbox.json")]
    public async Task What_a_crash_left_damaged_is_made_anew(string file)
    {
        await (await StartAsync("alice@ALPHA.TEST")).DisposeAsync();
        await File.WriteAllTextAsync(Path.Combine(SandboxDescription.FolderUnder(state), file), "damaged", TestContext.Current.CancellationToken);

        await using var sandbox = await StartAsync("alice@ALPHA.TEST");
        using var acceptor = Acceptor(sandbox);

        Assert.IsType<GssOutcome.Accepted>(acceptor.Accept(await TokenAsync(sandbox.Description, "alice@ALPHA.TEST")));
    }

    [Fact]
    public async Task Two_servers_cannot_share_one()
    {
        await using var first = await StartAsync("alice@ALPHA.TEST");

        var refused = await Assert.ThrowsAsync<SandboxException>(() => StartAsync("alice@ALPHA.TEST"));

        Assert.Contains("STATE.path", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_KDC_that_dies_is_started_again()
    {
        await using var sandbox = await StartAsync("alice@ALPHA.TEST");
        using (var kdc = Process.GetProcessById(await KdcAsync()))
        {
            kdc.Kill();
            await kdc.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        // Connecting is refused until it listens again; the client's own retries are not enough for that second.
        while (!await AnswersAsync(sandbox.Description.Port))
        {
            await Task.Yield();
        }

        Assert.NotEmpty(await TokenAsync(sandbox.Description, "alice@ALPHA.TEST"));
    }

    [Fact]
    public async Task A_server_killed_with_minus_9_takes_its_KDC_along_and_the_next_start_takes_up_what_it_left()
    {
        var start = new ProcessStartInfo(
            "dotnet", // the tests may run under it or by themselves
            [GetType().Assembly.Location, "-explicit", "only", "-showLiveOutput", "-method", $"{GetType().FullName}.{nameof(Waits_to_be_killed)}"])
        {
            RedirectStandardOutput = true,
            Environment = { [StateVariable] = state, ["TMPDIR"] = state },
        };
        using var server = Process.Start(start)!;
        while (await server.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line && !line.Contains(Started, StringComparison.Ordinal))
        {
        }

        using var kdc = Process.GetProcessById(await KdcAsync());
        server.Kill();

        await kdc.WaitForExitAsync(TestContext.Current.CancellationToken);
        await using var next = await StartAsync("alice@ALPHA.TEST");
        Assert.NotEmpty(await TokenAsync(next.Description, "alice@ALPHA.TEST"));
    }

    /// <summary>The server of the test above, in a process of its own.</summary>
    [Fact(Explicit = true)]
    public async Task Waits_to_be_killed()
    {
        if (Environment.GetEnvironmentVariable(StateVariable) is not { } its)
        {
            return;
        }

        await using var sandbox = await SandboxRealm.StartAsync(
            its, new AuthOptions(), Of("alice@ALPHA.TEST"), NullLogger<SandboxRealm>.Instance, TestContext.Current.CancellationToken);
        Console.WriteLine(Started);
        await Task.Delay(Timeout.Infinite, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task More_realms_than_a_KDC_serves_are_refused_and_cost_nobody_his_keys()
    {
        await (await StartAsync("alice@ALPHA.TEST")).DisposeAsync();
        Assert.True(SandboxDescription.TryFind(state, out var found));
        var before = await File.ReadAllBytesAsync(found.ServiceKeytab, TestContext.Current.CancellationToken);

        var refused = await Assert.ThrowsAsync<SandboxException>(() => StartAsync([.. Enumerable.Range(0, 40).Select(i => $"alice@R{i}.TEST")]));

        Assert.Contains("AUTH.keytab", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllBytesAsync(found.ServiceKeytab, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Nobody_in_the_directory_is_no_reason_not_to_start()
    {
        await using var sandbox = await StartAsync();

        Assert.True(Keytab.TryRead(await File.ReadAllBytesAsync(sandbox.Description.ServiceKeytab, TestContext.Current.CancellationToken), out var keys));
        Assert.NotEmpty(keys);
    }

    [Fact]
    public async Task Names_that_the_KDC_cannot_have_do_not_keep_the_others_out()
    {
        await using var sandbox = await StartAsync("a\"b@ALPHA.TEST", "x@{bad}", "-dash@ALPHA.TEST", "алиса@ALPHA.TEST");

        Assert.True(File.Exists(sandbox.Description.KeytabOf(Name("-dash@ALPHA.TEST"))));
        Assert.True(File.Exists(sandbox.Description.KeytabOf(Name("алиса@ALPHA.TEST"))));
        Assert.False(File.Exists(sandbox.Description.KeytabOf(Name("a\"b@ALPHA.TEST"))));
    }

    private static DName Name(string text) => DName.TryParse(text, out var dname) ? dname : throw new ArgumentException(text);

    private static DirectorySnapshot Of(params string[] dnames) => new(
        dnames.Select(text => Uid.TryParse($"uid-{text}", out var uid) ? new Subscriber { Uid = uid, DName = Name(text) } : throw new ArgumentException(text)),
        new DirectoryPolicy());

    private static async Task<bool> AnswersAsync(int port)
    {
        using var client = new System.Net.Sockets.TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
            return true;
        }
        catch (System.Net.Sockets.SocketException)
        {
            return false;
        }
    }

    /// <summary>A token that Debian's python3-gssapi makes with nothing but what the description says.</summary>
    private static async Task<byte[]> TokenAsync(SandboxDescription sandbox, string user, string host = "localhost")
    {
        const string Script = """
            import base64, sys, gssapi
            name = gssapi.Name("HTTP@" + sys.argv[1], gssapi.NameType.hostbased_service)
            print(base64.b64encode(gssapi.SecurityContext(name=name, usage="initiate").step()).decode())
            """;
        var environment = sandbox.EnvironmentOf(Name(user));
        var start = new ProcessStartInfo("/usr/bin/python3", ["-c", Script, host]) { RedirectStandardOutput = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var python = Process.Start(start)!;
        var token = await python.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        return Convert.FromBase64String(token.Trim());
    }

    private async Task<int> KdcAsync()
    {
        // Its command line has no port; its environment has this test's folder.
        foreach (var folder in Directory.GetDirectories("/proc").Where(path => Regex.IsMatch(path, "^/proc/[0-9]+$")))
        {
            try
            {
                if (await File.ReadAllTextAsync(Path.Combine(folder, "comm"), TestContext.Current.CancellationToken) == "krb5kdc\n"
                    && (await File.ReadAllTextAsync(Path.Combine(folder, "environ"), TestContext.Current.CancellationToken)).Contains($"={state}/sandbox/", StringComparison.Ordinal))
                {
                    return int.Parse(Path.GetFileName(folder), null);
                }
            }
            catch (IOException)
            {
                // A process that ended meanwhile.
            }
        }

        throw new InvalidOperationException("No KDC of this test runs.");
    }

    private Task<SandboxRealm> StartAsync(params string[] dnames) =>
        SandboxRealm.StartAsync(state, new AuthOptions(), Of(dnames), NullLogger<SandboxRealm>.Instance, TestContext.Current.CancellationToken);

    private GssAcceptor Acceptor(SandboxRealm sandbox)
    {
        var probe = AuthProbe.Run(sandbox.Apply(new AuthOptions()), state, "vm", TimeProvider.System);
        Assert.Empty(probe.Problems);
        return new GssAcceptor(probe.Setup!);
    }
}
