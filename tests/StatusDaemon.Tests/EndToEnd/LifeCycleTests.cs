using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using StatusDaemon.Settings;
using StatusDaemon.Tests.Protocol;

namespace StatusDaemon.EndToEnd;

/// <summary>Ends and beginnings: of the server, with and without a word, and of its clients.</summary>
public sealed class LifeCycleTests
{
    private static readonly TimeSpan Flush = TimeSpan.FromSeconds(1); // long enough that a machine busy with other tests keeps to it

    [Fact]
    public async Task A_kill_under_load_loses_nothing_older_than_the_flush_interval()
    {
        const int Publishers = 10;
        var names = Enumerable.Range(0, Publishers).Select(i => $"u-{i:000}").ToArray();
        await using var server = await StatusdProcess.StartAsync(StatusdProcess.TrustedHeader + "\nSTORAGE: { flush: 1s }", SharedServer.Directory());
        var seen = new ConcurrentQueue<(string Who, int Number, long At)>();
        await using (var watcher = await TestSocket.ConnectAsync(server, "u-100"))
        {
            await watcher.SendAsync("{\"events\":{" + string.Join(',', names.Select(name => $"\"{name}\":9")) + "}}");
            using var stop = new CancellationTokenSource();
            var publishing = Task.WhenAll(names.Select(name => PublishAsync(server, name, stop.Token)));
            var enough = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var watching = NoteAsync(watcher, seen, () => seen.TryPeek(out var first) && Stopwatch.GetElapsedTime(first.At) > 2 * Flush, enough);
            await enough.Task;
            var killed = Stopwatch.GetTimestamp();
            await server.KillAsync();
            await stop.CancelAsync();
            await publishing;
            await watching;

            await server.StartAgainAsync();
            await using var again = await TestSocket.ConnectAsync(server, "u-100");
            foreach (var name in names)
            {
                using var kept = JsonDocument.Parse((await again.WatchAsync(name))!);
                var number = kept.RootElement.TryGetProperty("timestamp", out var timestamp) ? timestamp.GetInt32() : 0;
                var old = seen.Where(one => one.Who == name && Stopwatch.GetElapsedTime(one.At, killed) > Flush).Select(one => one.Number).DefaultIfEmpty().Max();
                Assert.True(number >= old, $"{name} was seen as {old} more than {Flush} before the kill, and is {number} now");
            }

            // What follows is newer than all that was.
            await using var publisher = await TestSocket.ConnectAsync(server, names[0]);
            await publisher.SendAsync("""{"status":6,"timestamp":1}""");
            Assert.Equal($$"""{"status":6,"publisher":"{{names[0]}}","timestamp":1}""", await again.ReceiveAsync());
        }
    }

    [Fact]
    public async Task Who_comes_back_within_the_grace_was_never_away_for_anyone_and_who_leaves_goes_once()
    {
        await using var shared = new GraceServer();
        await shared.InitializeAsync();
        var server = shared.Server;
        var names = shared.TakeOfOneShard(4);
        var (faithful, double0, gone, watcherName) = (names[0], names[1], names[2], names[3]);
        await using var watcher = await TestSocket.ConnectAsync(server, watcherName);
        var f = await TestSocket.ConnectAsync(server, faithful);
        var first = await TestSocket.ConnectAsync(server, double0);
        await using var second = await TestSocket.ConnectAsync(server, double0);
        var g = await TestSocket.ConnectAsync(server, gone);
        foreach (var (client, name) in new[] { (f, faithful), (first, double0), (g, gone) })
        {
            await watcher.WatchAsync(name);
            await client.SendAsync("""{"status":1}""");
            await watcher.SeesAsync(name, 1);
        }

        await f.DisposeAsync();
        await first.DisposeAsync();
        await g.DisposeAsync();
        await using var back = await TestSocket.ConnectAsync(server, faithful);
        Assert.Equal($$"""{"status":3,"publisher":"{{gone}}"}""", await watcher.ReceiveAsync());

        // One shard looks at all three at once: who would have gone before or with the third, has gone by now.
        await second.SendAsync("""{"status":2}""");
        Assert.Equal($$"""{"status":2,"publisher":"{{double0}}"}""", await watcher.ReceiveAsync());
        await back.SendAsync("""{"status":2}""");
        Assert.Equal($$"""{"status":2,"publisher":"{{faithful}}"}""", await watcher.ReceiveAsync());
    }

    [Fact]
    public async Task Who_stays_connected_while_the_server_is_suspended_was_never_away_and_who_had_left_goes_later()
    {
        await using var shared = new GraceServer();
        await shared.InitializeAsync();
        var server = shared.Server;
        var names = shared.TakeOfOneShard(3);
        await using var watcher = await TestSocket.ConnectAsync(server, names[2]);
        await using var faithful = await TestSocket.ConnectAsync(server, names[0]);
        var gone = await TestSocket.ConnectAsync(server, names[1]);
        foreach (var (client, name) in new[] { (faithful, names[0]), (gone, names[1]) })
        {
            await watcher.WatchAsync(name);
            await client.SendAsync("""{"status":1}""");
            await watcher.SeesAsync(name, 1);
        }

        await gone.DisposeAsync();
        server.Suspend();
        await Task.Delay(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken); // longer than the grace
        server.Resume();

        // One shard looks at both at once: who would have gone before or with the other, has gone by now.
        Assert.Equal($$"""{"status":3,"publisher":"{{names[1]}}"}""", await watcher.ReceiveAsync());
        await faithful.SendAsync("""{"status":2}""");
        Assert.Equal($$"""{"status":2,"publisher":"{{names[0]}}"}""", await watcher.ReceiveAsync());
    }

    [Fact]
    public async Task After_a_restart_the_grace_counts_anew_and_who_is_back_in_time_was_never_away()
    {
        await using var shared = new GraceServer();
        await shared.InitializeAsync();
        var server = shared.Server;
        var names = shared.TakeOfOneShard(3);
        await using (var f = await TestSocket.ConnectAsync(server, names[0]))
        await using (var g = await TestSocket.ConnectAsync(server, names[1]))
        {
            await f.SendAsync($$$"""{"status":5,"events":{"{{{names[0]}}}":9}}""");
            await f.SeesAsync(names[0], 5);
            await g.SendAsync($$$"""{"status":6,"events":{"{{{names[1]}}}":9}}""");
            await g.SeesAsync(names[1], 6);
            Assert.Equal(0, await server.StopAsync());
        }

        await server.StartAgainAsync();
        await using var watcher = await TestSocket.ConnectAsync(server, names[2]);
        Assert.Equal($$"""{"status":5,"publisher":"{{names[0]}}"}""", await watcher.WatchAsync(names[0]));
        Assert.Equal($$"""{"status":6,"publisher":"{{names[1]}}"}""", await watcher.WatchAsync(names[1]));
        await using var back = await TestSocket.ConnectAsync(server, names[0]);

        Assert.Equal($$"""{"status":3,"publisher":"{{names[1]}}"}""", await watcher.ReceiveAsync());
        await back.SendAsync("""{"status":1}""");
        Assert.Equal($$"""{"status":1,"publisher":"{{names[0]}}"}""", await watcher.ReceiveAsync());
    }

    [Fact]
    public async Task With_never_a_status_outlives_its_client_and_the_server()
    {
        await using var server = await StatusdProcess.StartAsync(StatusdProcess.TrustedHeader + "\nSERVICE: { offline: { after: never } }");
        await using (var c = await TestSocket.ConnectAsync(server, "uid-c"))
        {
            await c.SendAsync("""{"status":1,"events":{"uid-c":9}}""");
            await c.SeesAsync("uid-c", 1);
        }

        Assert.Equal(0, await server.StopAsync());
        await server.StartAgainAsync();
        await using var a = await TestSocket.ConnectAsync(server, "uid-a");

        Assert.Equal("""{"status":1,"publisher":"uid-c"}""", await a.WatchAsync("uid-c"));
    }

    [Fact]
    public async Task A_stop_with_three_hundred_clients_says_1012_to_each_and_takes_under_five_seconds()
    {
        const int Clients = 300;
        await using var server = await StatusdProcess.StartAsync(StatusdProcess.TrustedHeader, SharedServer.Directory());
        List<RawSocket> clients = [];
        for (var i = 0; i < Clients; i++)
        {
            clients.Add(await RawSocket.ConnectAsync(server, $"u-{i / 2:000}"));
        }

        var closes = clients.Select(async (client, i) =>
        {
            var code = await client.ReadCloseAsync();
            if (i % 10 > 0)
            {
                await client.SendAsync(ClientFrames.CloseWith(code ?? 1000)); // every tenth has no manners
            }

            return code;
        }).ToArray();
        var clock = Stopwatch.StartNew();
        var stopping = server.StopAsync();
        await Task.WhenAny(closes);

        // It goes on serving those that it has not closed yet, but takes nobody in.
        await using (var late = await RawSocket.ConnectTcpAsync(server))
        {
            await late.SendAsync(RawSocket.Upgrade("u-199"));
            Assert.Contains(" 503 ", await late.ReadHeadersAsync(), StringComparison.Ordinal);
        }

        Assert.All(await Task.WhenAll(closes), code => Assert.Equal(1012, code));
        Assert.Equal(0, await stopping);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_stop_does_not_wait_for_half_a_request()
    {
        await using var server = await StatusdProcess.StartAsync(StatusdProcess.TrustedHeader + "\nSERVICE: { drain: 60s, limits: { handshake: 60s } }");
        await using var half = await RawSocket.ConnectTcpAsync(server);
        await half.SendAsync("GET /pub"u8.ToArray());
        await server.AskReadyAsync(); // on a later connection: that one was taken before

        Assert.Equal(0, await server.StopAsync());
    }

    [Fact]
    public async Task What_is_said_while_it_drains_is_taken_and_kept()
    {
        await using var server = await StatusdProcess.StartAsync(StatusdProcess.TrustedHeader, SharedServer.Directory());
        List<RawSocket> clients = [];
        for (var i = 0; i < 250; i++)
        {
            clients.Add(await RawSocket.ConnectAsync(server, $"u-{i / 2:000}"));
        }

        var stopping = server.StopAsync(PosixSignal.SIGINT);
        Assert.Equal(1001, await (await Task.WhenAny(clients.Take(100).Select(client => client.ReadCloseAsync()))));

        // The last to come are the last to go, and have a second or two until then.
        await clients[^1].SendAsync("""{"status":6,"timestamp":1}""");
        Assert.Equal(1001, await clients[^1].ReadCloseAsync());
        Assert.Equal(0, await stopping);
        await server.StartAgainAsync();
        await using var again = await TestSocket.ConnectAsync(server, "u-199");
        Assert.Equal("""{"status":6,"publisher":"u-124","timestamp":1}""", await again.WatchAsync("u-124"));
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_stop_saves_what_was_said_though_clients_over_TLS_do_not_say_goodbye()
    {
        using var folder = new TempFolder();
        await using var server = await StatusdProcess.StartAsync(StatusdProcess.TrustedHeader + "\nSTORAGE: { flush: 1m }", certificate: LocalCertificate.MakeIn(folder));
        await using var silent = await TestSocket.ConnectAsync(server, "uid-a"); // reads nothing from here on
        await using var c = await TestSocket.ConnectAsync(server, "uid-c");
        await c.SendAsync("""{"status":6,"timestamp":1,"events":{"uid-c":9}}""");
        await c.SeesAsync("uid-c", 6);

        Assert.Equal(0, await server.StopAsync());
        await server.StartAgainAsync();
        await using var again = await TestSocket.ConnectAsync(server, "uid-a");
        Assert.Equal("""{"status":6,"publisher":"uid-c","timestamp":1}""", await again.WatchAsync("uid-c"));
    }

    private static async Task PublishAsync(StatusdProcess server, string name, CancellationToken stop)
    {
        await using var publisher = await RawSocket.ConnectAsync(server, name);
        for (var i = 1; !stop.IsCancellationRequested; i++)
        {
            await publisher.SendAsync($$$"""{"status":{{{(i % 8) + 1}}},"timestamp":{{{i}}}}""");
            await Task.Delay(1, CancellationToken.None); // under the rate limit
        }
    }

    private static async Task NoteAsync(TestSocket watcher, ConcurrentQueue<(string Who, int Number, long At)> seen, Func<bool> isEnough, TaskCompletionSource enough)
    {
        try
        {
            while (await watcher.ReceiveAsync() is { } text)
            {
                using var json = JsonDocument.Parse(text);
                if (json.RootElement.TryGetProperty("timestamp", out var number))
                {
                    seen.Enqueue((json.RootElement.GetProperty("publisher").GetString()!, number.GetInt32(), Stopwatch.GetTimestamp()));
                }

                if (isEnough())
                {
                    enough.TrySetResult();
                }
            }
        }
        catch (System.Net.WebSockets.WebSocketException)
        {
            // The server was killed.
        }
    }

    /// <summary>A server with a short grace.</summary>
    private sealed class GraceServer() : SharedServer("SERVICE: { offline: { after: 3s } }"), IAsyncDisposable;
}
