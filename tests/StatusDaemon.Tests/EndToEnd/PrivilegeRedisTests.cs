using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using StackExchange.Redis;
using StatusDaemon.Auth;
using StatusDaemon.Redis;
using StatusDaemon.Settings;

namespace StatusDaemon.EndToEnd;

/// <summary>The real program with <c>PRIVILEGES.source: redis</c> and a keytab: subscribers and rules change in a real Redis while people are connected.</summary>
public sealed class PrivilegeRedisTests : IAsyncLifetime
{
    private static readonly string[] People = ["alice", "bob", "carol"];

    private readonly TempFolder folder = new();
    private readonly byte[] key = RandomNumberGenerator.GetBytes(32);
    private RedisProcess redis = null!;

    private string Settings => string.Create(CultureInfo.InvariantCulture, $$"""
        AUTH: { keytab: {{folder["statusd.keytab"]}}, servicename: HTTP@forged.test }
        PRIVILEGES: { source: redis }
        PRIVILEGE_REDIS: { port: {{redis.Port}}, sweep: 200ms }

        """);

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllBytesAsync(folder["statusd.keytab"], ForgedTicket.Keytab(key, 1, KerberosServer.ForgedService));
        redis = await RedisProcess.StartAsync("--notify-keyspace-events", "KA");
        await FillAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await redis.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task Subscribers_names_numbers_and_rules_take_effect_on_those_who_are_connected()
    {
        await using var server = await StatusdProcess.StartAsync(Settings, directory: "");
        await using var alice = await ConnectAsync(server, "alice");
        await using var bob = await ConnectAsync(server, "bob");
        await alice.SendAsync("""{"status":2,"events":{"uid-alice":9}}""");
        await alice.SeesAsync("uid-alice", 2);
        Assert.Equal("""{"status":2,"publisher":"uid-alice"}""", await bob.WatchAsync("uid-alice"));

        await redis.Commands.SetAddAsync("black:uid-alice", "dname:bob@*");
        Assert.Equal("""{"status":8,"publisher":"uid-alice"}""", await bob.ReceiveAsync());
        await alice.SendAsync("""{"status":3}"""); // never reaches him
        await alice.SeesAsync("uid-alice", 3);
        await redis.Commands.SetRemoveAsync("black:uid-alice", "dname:bob@*");
        Assert.Equal("""{"status":3,"publisher":"uid-alice"}""", await bob.ReceiveAsync());

        await redis.Commands.SetAddAsync("white:uid-alice", "number:2003");
        Assert.Equal("""{"status":8,"publisher":"uid-alice"}""", await bob.ReceiveAsync());
        await redis.Commands.StringSetAsync("number:2003", "uid-bob"); // moves from carol
        Assert.Equal("""{"status":3,"publisher":"uid-alice"}""", await bob.ReceiveAsync());
        Assert.Contains("\"uid\":\"uid-bob\"", await LookUpAsync(server, "number=2003"), StringComparison.Ordinal);

        await redis.Commands.KeyDeleteAsync("dname:bob@ALPHA.TEST");
        Assert.Null(await bob.ReceiveAsync());
        Assert.Equal(1008, (int)bob.CloseStatus!);
        await Assert.ThrowsAnyAsync<Exception>(() => ConnectAsync(server, "bob"));
        await redis.Commands.StringSetAsync("dname:robert@ALPHA.TEST", "uid-bob");
        await using var robert = await ConnectWhenKnownAsync(server, "robert");
        Assert.Equal("""{"status":3,"publisher":"uid-alice"}""", await robert.WatchAsync("uid-alice"));
        Assert.Equal("ready\n", await server.AskReadyAsync());
    }

    [Fact]
    public async Task A_database_that_is_killed_changes_nothing_and_is_followed_when_it_is_back()
    {
        await using var server = await StatusdProcess.StartAsync(Settings, directory: "");
        await using var alice = await ConnectAsync(server, "alice");
        await using var bob = await ConnectAsync(server, "bob");
        await redis.KillAsync();
        await server.SeesAsync(" 5101 ");
        Assert.StartsWith("ready\ndirectory: the privilege database is away", await server.AskReadyAsync(), StringComparison.Ordinal);
        await using var carol = await ConnectAsync(server, "carol"); // who is known logs in
        await alice.SendAsync("""{"status":2,"events":{"uid-alice":9}}""");
        await alice.SeesAsync("uid-alice", 2);
        Assert.Equal("""{"status":2,"publisher":"uid-alice"}""", await bob.WatchAsync("uid-alice"));

        await redis.StartAgainAsync();
        await FillAsync();
        await redis.Commands.SetAddAsync("black:uid-alice", "uid-bob");
        Assert.Equal("""{"status":8,"publisher":"uid-alice"}""", await bob.ReceiveAsync());
        Assert.Null(carol.CloseStatus);
    }

    [Fact]
    public async Task Started_without_the_database_it_waits_and_lets_nobody_in()
    {
        await using var server = await StatusdProcess.StartAsync(Settings, directory: "");
        await server.StopAsync();
        await redis.KillAsync();
        var starting = server.StartAgainAsync();
        await server.SeesAsync(" 5101 ");
        using var http = new HttpClient();
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "waiting for the directory\ndirectory: the privilege database is away; the log says why (event 5101)\n"), await AskAsync(http, server, "/readyz"));
        using (var upgrade = new HttpRequestMessage(HttpMethod.Get, server.Address("127.0.0.1", "/directory")))
        {
            upgrade.Headers.Add("Authorization", Header("alice"));
            using var answer = await http.SendAsync(upgrade, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode); // not 403: nobody knows yet who is known
        }

        await redis.StartAgainAsync();
        await FillAsync();
        await starting;
        await using var alice = await ConnectAsync(server, "alice");
        Assert.Equal("""{"status":8,"publisher":"uid-bob"}""", await alice.WatchAsync("uid-bob"));
    }

    [Fact]
    public async Task A_database_that_refuses_us_ends_the_start_in_words()
    {
        await redis.Server.ExecuteAsync("CONFIG", "SET", "requirepass", "secret");
        var (exitCode, output) = await StatusdProcess.FailAsync(Settings, directory: "");
        Assert.Equal(1, exitCode);
        Assert.Contains("set PRIVILEGE_REDIS.password", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_commands_fill_a_database_and_read_it_back()
    {
        await redis.Server.FlushAllDatabasesAsync();
        var settings = folder.Write("settings.yml", Settings);
        var file = folder.Write("people.yml", "subscribers:\n- {uid: u1, dname: a@X, numbers: ['1'], black: [u2]}\n");

        var (exitCode, output, _) = await RunAsync("import-privileges", file, "--config", settings);
        Assert.Equal(0, exitCode);
        Assert.StartsWith("u1\n  + dname:a@X: u1\n  + number:1: u1\n  + subscriber:u1 dname: a@X\n  + subscriber:u1 numbers: 1\n  + black:u1 u2\n", output, StringComparison.Ordinal);
        Assert.EndsWith("is as it was. With --apply: 5 added, 0 changed, 0 removed.\n", output, StringComparison.Ordinal);
        Assert.Empty(await redis.Server.KeysAsync().ToArrayAsync(TestContext.Current.CancellationToken));

        (exitCode, output, _) = await RunAsync("import-privileges", file, "--config", settings, "--apply", "--json");
        Assert.Equal(0, exitCode);
        Assert.Contains("""{"change":"added","uid":"u1","key":"black:u1","part":"u2","before":null,"after":null,"made":true}""", output, StringComparison.Ordinal);
        Assert.Contains("\"added\":5,\"changed\":0,\"removed\":0,\"left\":0,\"applied\":true}", output, StringComparison.Ordinal);

        (exitCode, output, _) = await RunAsync("export-privileges", "-", "--config", settings);
        Assert.Equal((0, "subscribers:\n  - uid: \"u1\"\n    dname: a@X\n    numbers: [\"1\"]\n    black: [\"u2\"]\n"), (exitCode, output));

        var nobody = folder.Write("nobody.yml", "subscribers: []\n");
        (exitCode, output, _) = await RunAsync("import-privileges", nobody, "--config", settings, "--apply");
        Assert.Equal(0, exitCode);
        Assert.Contains("- black:u1 u2  (stays without --prune)", output, StringComparison.Ordinal);
        Assert.EndsWith("5 that the file does not have stay; --prune removes them.\n", output, StringComparison.Ordinal);
        (exitCode, _, _) = await RunAsync("import-privileges", nobody, "--config", settings, "--apply", "--prune");
        Assert.Equal(0, exitCode);
        Assert.Empty(await redis.Server.KeysAsync().ToArrayAsync(TestContext.Current.CancellationToken));

        (exitCode, output, var error) = await RunAsync("import-privileges", folder["missing.yml"], "--config", settings);
        Assert.Equal((1, ""), (exitCode, output));
        Assert.Contains("there is no such file", error, StringComparison.Ordinal);
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] words)
    {
        using var process = new System.Diagnostics.Process
        {
            StartInfo = new("dotnet", [Path.Combine(AppContext.BaseDirectory, "statusd.dll"), .. words]) { RedirectStandardOutput = true, RedirectStandardError = true, Environment = { ["LC_ALL"] = "C.UTF-8" } },
        };
        process.Start();
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await error);
    }

    /// <summary>Asks until it listens; that it answers is the event.</summary>
    private static async Task<(HttpStatusCode Code, string Words)> AskAsync(HttpClient http, StatusdProcess server, string path)
    {
        while (true)
        {
            try
            {
                using var answer = await http.GetAsync(server.Address("127.0.0.1", path), TestContext.Current.CancellationToken);
                return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            }
            catch (HttpRequestException)
            {
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }
        }
    }

    private async Task FillAsync()
    {
        foreach (var (index, name) in People.Index())
        {
            var uid = $"uid-{name}";
            RedisKey number = string.Create(CultureInfo.InvariantCulture, $"number:{2001 + index}");
            await redis.Commands.StringSetAsync([new($"dname:{name}@ALPHA.TEST", uid), new(number, uid)]);
            await redis.Commands.HashSetAsync($"subscriber:{uid}", [new("dname", $"{name}@ALPHA.TEST"), new("name", name)]);
        }
    }

    private string Header(string user) => $"Negotiate {Convert.ToBase64String(Ticket(user).ToToken())}";

    private ForgedTicket Ticket(string user) => ForgedTicket.Good(key) with { Service = KerberosServer.ForgedService, Client = user };

    private Task<TestSocket> ConnectAsync(StatusdProcess server, string user) => TestSocket.ConnectAsync(server, Ticket(user));

    /// <summary>Connects as soon as the directory has the name: nothing tells a client when that is.</summary>
    private async Task<TestSocket> ConnectWhenKnownAsync(StatusdProcess server, string user)
    {
        while (true)
        {
            try
            {
                return await ConnectAsync(server, user);
            }
            catch (System.Net.WebSockets.WebSocketException)
            {
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }
        }
    }

    private async Task<string> LookUpAsync(StatusdProcess server, string query)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, new UriBuilder(server.Address("127.0.0.1", "/directory")) { Query = query }.Uri);
        request.Headers.Add("Authorization", Header("alice"));
        using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        return await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }
}
