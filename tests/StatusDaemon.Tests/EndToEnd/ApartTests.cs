using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using StatusDaemon.Settings;

namespace StatusDaemon.EndToEnd;

/// <summary>The daemon and gateways in processes of their own, on one machine.</summary>
public sealed class ApartTests : IAsyncLifetime
{
    private StatusdProcess files = null!;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync() =>
        files = await StatusdProcess.PrepareAsync(StatusdProcess.TrustedHeader + "\nSTORAGE: { flush: 50ms }\nSERVICE: { offline: { after: 2s } }");

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => files.DisposeAsync();

    [Fact]
    public async Task A_gateway_that_comes_first_waits_in_words_and_keeps_what_its_clients_say()
    {
        await using var gateway = files.Launch("ws-server");
        await gateway.SeesAsync("/readyz");
        await gateway.SeesAsync(" 3401 ");
        Assert.Equal("0 of 32 shards reached\n", await gateway.AskReadyAsync(HttpStatusCode.ServiceUnavailable));
        await using var a = await TestSocket.ConnectAsync(gateway, "uid-a");
        await using var b = await TestSocket.ConnectAsync(gateway, "uid-b");
        await b.SendAsync("""{"status":2}""");
        await a.SendAsync("""{"events":{"uid-b":9}}""");

        await using var daemon = files.Launch("daemon");
        await a.SeesAsync("uid-b", 2);
        await gateway.SeesAsync(" 3402 ");
        await gateway.ReadyAsync();
        Assert.Equal(0, await gateway.StopAsync());
        Assert.Equal(0, await daemon.StopAsync());
        Assert.False(File.Exists(Path.Combine(files.StatePath, "cluster", "daemon.json")));
    }

    [Fact]
    public async Task What_is_said_to_one_gateway_is_seen_at_another()
    {
        await using var daemon = files.Launch("daemon");
        await using var one = files.Launch("ws-server");
        await using var other = files.Launch("ws-server");
        await one.ReadyAsync();
        await other.ReadyAsync();
        await using var a = await TestSocket.ConnectAsync(one, "uid-a");
        await using var b = await TestSocket.ConnectAsync(other, "uid-b");
        await a.WatchAsync("uid-b");
        for (var status = 1; status <= 7; status++)
        {
            await b.SendAsync($$"""{"status":{{status}}}""");
            Assert.Equal($$"""{"status":{{status}},"publisher":"uid-b"}""", await a.ReceiveAsync());
        }
    }

    [Fact]
    public async Task A_daemon_that_is_killed_and_comes_back_was_never_away_for_anyone()
    {
        await using var daemon = files.Launch("daemon");
        await using var gateway = files.Launch("ws-server");
        await gateway.ReadyAsync();
        await using var a = await TestSocket.ConnectAsync(gateway, "uid-a");
        await using var b = await TestSocket.ConnectAsync(gateway, "uid-b");
        await using var c = await TestSocket.ConnectAsync(gateway, "uid-c");
        await a.WatchAsync("uid-b");
        await a.WatchAsync("uid-c");
        await c.SendAsync("""{"status":5}""");
        Assert.Equal("""{"status":5,"publisher":"uid-c"}""", await a.ReceiveAsync());
        await b.SendAsync("""{"status":1}""");
        Assert.Equal("""{"status":1,"publisher":"uid-b"}""", await a.ReceiveAsync());
        await b.SendAsync("""{"status":2,"timestamp":17}"""); // may or may not be saved
        Assert.Equal("""{"status":2,"publisher":"uid-b","timestamp":17}""", await a.ReceiveAsync());
        await daemon.KillAsync();
        await b.SendAsync("""{"status":4}""");
        daemon.Launch();

        await a.SeesAsync("uid-b", 4);
        await c.SendAsync("""{"status":6}""");
        await a.SeesAsync("uid-c", 6);
        await using var late = await TestSocket.ConnectAsync(gateway, "uid-a");
        Assert.Equal("""{"status":4,"publisher":"uid-b"}""", await late.WatchAsync("uid-b"));
    }

    [Fact]
    public async Task Who_was_at_a_gateway_that_is_killed_goes_after_the_grace_unless_he_comes_to_another()
    {
        await using var daemon = files.Launch("daemon");
        await using var dying = files.Launch("ws-server");
        await using var staying = files.Launch("ws-server");
        await dying.ReadyAsync();
        await staying.ReadyAsync();
        await using var a = await TestSocket.ConnectAsync(staying, "uid-a");
        await a.WatchAsync("uid-b");
        await a.WatchAsync("uid-c");
        await using var b = await TestSocket.ConnectAsync(dying, "uid-b");
        await using var c = await TestSocket.ConnectAsync(dying, "uid-c");
        await b.SendAsync("""{"status":1}""");
        await a.SeesAsync("uid-b", 1);
        await c.SendAsync("""{"status":1}""");
        await a.SeesAsync("uid-c", 1);
        await dying.KillAsync();
        await using var again = await TestSocket.ConnectAsync(staying, "uid-b");
        Assert.Equal("""{"status":3,"publisher":"uid-c"}""", await a.ReceiveAsync());
        await again.SendAsync("""{"status":2}""");
        Assert.Equal("""{"status":2,"publisher":"uid-b"}""", await a.ReceiveAsync()); // and never 3 before
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task What_lay_in_a_gateway_that_hung_does_not_count_over_what_its_client_said_elsewhere_since(bool tls)
    {
        using var folder = new TempFolder();
        await using var daemon = files.Launch("daemon");
        await using var hanging = files.Launch("ws-server", certificate: tls ? LocalCertificate.MakeIn(folder) : null);
        await using var other = files.Launch("ws-server");
        await hanging.ReadyAsync();
        await other.ReadyAsync();
        await using var watcher = await TestSocket.ConnectAsync(other, "uid-a");
        await using var before = await TestSocket.ConnectAsync(hanging, "uid-b");
        await watcher.WatchAsync("uid-b");
        await before.SendAsync("""{"status":1}""");
        await watcher.SeesAsync("uid-b", 1);

        hanging.Suspend();
        await before.SendAsync("""{"status":4}""");
        await before.Socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, TestContext.Current.CancellationToken);
        before.Socket.Dispose();
        await using var since = await TestSocket.ConnectAsync(other, "uid-b");
        await Task.Delay(TimeSpan.FromSeconds(2.5), TestContext.Current.CancellationToken); // how long it hangs
        await since.SendAsync("""{"status":5}""");
        await watcher.SeesAsync("uid-b", 5);
        hanging.Resume();
        await hanging.ReadyAsync();
        await using var later = await TestSocket.ConnectAsync(hanging, "uid-c");
        Assert.Equal("""{"status":8,"publisher":"uid-c"}""", await watcher.WatchAsync("uid-c"));
        await later.SendAsync("""{"status":7}""");
        Assert.Equal("""{"status":7,"publisher":"uid-c"}""", await watcher.ReceiveAsync());
        Assert.Equal("""{"status":5,"publisher":"uid-b"}""", await later.WatchAsync("uid-b"));
    }

    [Fact]
    public async Task A_second_daemon_does_not_start()
    {
        await using var daemon = files.Launch("daemon");
        await daemon.SeesAsync("modules on this machine");
        await using var second = files.Launch("daemon");
        Assert.Equal(1, await second.EndedAsync());
        Assert.Contains("Another daemon runs with this STATE.path", second.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_daemon_whose_port_is_taken_ends_in_words()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        await using var daemon = files.Launch("daemon", new Dictionary<string, string> { ["STATUSD_CLUSTER__SILO_PORT"] = $"{((IPEndPoint)taken.LocalEndpoint).Port}" });
        Assert.Equal(1, await daemon.EndedAsync());
        Assert.Contains($"{taken.LocalEndpoint}: Address already in use. Stop what listens there, or set CLUSTER.host", daemon.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gateway_with_another_number_of_shards_ends_in_words()
    {
        await using var daemon = files.Launch("daemon");
        await daemon.SeesAsync("modules on this machine");
        await using var gateway = files.Launch("ws-server", new Dictionary<string, string> { ["STATUSD_CLUSTER__SHARDS"] = "64" });
        Assert.Equal(1, await gateway.EndedAsync());
        Assert.Contains("has 32 shards, and CLUSTER.shards is 64 here", gateway.Output, StringComparison.Ordinal);
    }
}
