using System.Diagnostics;
using System.Globalization;
using System.Net.WebSockets;
using System.Text;

namespace StatusDaemon.Bench;

/// <summary>
/// The whole server with a privilege database of 100,000 subscribers, under 1,000 rule changes a second: how long after its <c>SADD black:…</c> a watcher is sent UNKNOWN, and whether he is
/// ever shown what was published after that.
/// </summary>
/// <remarks>Fifty watchers of forty publishers, who publish all the time, 10,000 deliveries a second. Every pair is hidden and shown again in turn. Server, database and load share the machine.</remarks>
internal static class RuleFlipBench
{
    private const int People = 100_000;
    private const int Publishers = 40;
    private const int Watchers = 50;
    private const int FlipsPerSecond = 1000;
    private const int StatusesPerSecond = 200;
    private static readonly TimeSpan Flipping = TimeSpan.FromSeconds(20);

    public static async Task RunAsync()
    {
        await using var redis = await PrivilegeRedis.StartAsync();
        await redis.FillAsync(People);
        using var folder = await BenchFolder.CreateAsync($$"""
            PRIVILEGES: { source: redis }
            PRIVILEGE_REDIS: { port: {{redis.Port}} }
            """);
        var start = Stopwatch.GetTimestamp();
        using var server = BenchServer.Start(folder.Settings);
        try
        {
            await BenchServer.ReadyAsync(folder.Port);
            Print("ready after", $"{Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");
            await RunAsync(redis, server, folder);
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync();
        }
    }

    private static async Task RunAsync(PrivilegeRedis redis, Process server, BenchFolder folder)
    {
        using var stop = new CancellationTokenSource();
        var pairs = new Pair[Watchers, Publishers];
        List<Task> readers = [];
        var publishers = await Task.WhenAll(Enumerable.Range(0, Publishers).Select(number => ConnectAsync(folder, number)));
        readers.AddRange(publishers.Select(publisher => ReadAsync(publisher, null, stop.Token)));
        for (var watcher = 0; watcher < Watchers; watcher++)
        {
            var mine = new Pair[Publishers];
            for (var publisher = 0; publisher < Publishers; publisher++)
            {
                mine[publisher] = pairs[watcher, publisher] = new Pair();
            }

            var socket = await ConnectAsync(folder, Publishers + watcher);
            readers.Add(ReadAsync(socket, mine, stop.Token));
            await SendAsync(socket, "{\"events\":{" + string.Join(',', Enumerable.Range(0, Publishers).Select(number => $"\"{PrivilegeRedis.UidOf(number)}\":9")) + "}}");
        }

        using var end = new CancellationTokenSource();
        var publishing = PublishAsync(publishers, end.Token);
        await Task.Delay(2000);
        server.Refresh();
        var (start, cpu) = (Stopwatch.GetTimestamp(), server.TotalProcessorTime);
        var flips = 0;
        for (; Stopwatch.GetElapsedTime(start) < Flipping; flips++)
        {
            for (var due = TimeSpan.FromSeconds((double)flips / FlipsPerSecond); Stopwatch.GetElapsedTime(start) < due;)
            {
                await Task.Delay(1);
            }

            var (watcher, publisher) = (flips / Publishers % Watchers, flips % Publishers);
            var (list, who) = ($"black:{PrivilegeRedis.UidOf(publisher)}", PrivilegeRedis.UidOf(Publishers + watcher));
            _ = pairs[watcher, publisher].Flip() ? redis.Commands.SetAddAsync(list, who) : redis.Commands.SetRemoveAsync(list, who);
        }

        server.Refresh();
        Print("rule changes, with statuses beside them", $"{flips / Stopwatch.GetElapsedTime(start).TotalSeconds,12:N0} /s, {(server.TotalProcessorTime - cpu) / Stopwatch.GetElapsedTime(start):P0} of a core, {server.WorkingSet64 / 1048576.0:F0} MiB resident");
        await Task.Delay(1000);
        await end.CancelAsync();
        await publishing;
        await stop.CancelAsync();
        await Task.WhenAll(readers);
        var all = pairs.Cast<Pair>().ToArray();
        PrintDelays("from SADD to the frame with UNKNOWN", [.. all.SelectMany(pair => pair.Hidden)]);
        PrintDelays("from SREM to the frame with the status", [.. all.SelectMany(pair => pair.Shown)]);
        Print("hides without UNKNOWN, and statuses after it", $"{all.Sum(pair => pair.Missing),12:N0}, {all.Sum(pair => pair.Leaks):N0}");
    }

    private static async Task PublishAsync(ClientWebSocket[] publishers, CancellationToken end)
    {
        var start = Stopwatch.GetTimestamp();
        for (var status = 0; !end.IsCancellationRequested; status++)
        {
            for (var due = TimeSpan.FromSeconds((double)status / StatusesPerSecond); Stopwatch.GetElapsedTime(start) < due;)
            {
                await Task.Delay(1, CancellationToken.None);
            }

            await SendAsync(publishers[status % Publishers], $$"""{"status":{{(status / Publishers % 2) + 1}}}""");
        }
    }

    private static async Task ReadAsync(ClientWebSocket socket, Pair[]? pairs, CancellationToken stop)
    {
        var buffer = new byte[4096];
        try
        {
            while (await socket.ReceiveAsync(buffer.AsMemory(), stop) is { MessageType: WebSocketMessageType.Text, Count: var count })
            {
                // {"status":8,"publisher":"6f000000-0000-4000-8000-000000000012"}
                if (pairs is not null && int.TryParse(buffer.AsSpan(count - 14, 12), NumberStyles.None, CultureInfo.InvariantCulture, out var publisher))
                {
                    pairs[publisher].See(isUnknown: buffer["{\"status\":".Length] == (byte)'8');
                }
            }
        }
        catch (OperationCanceledException)
        {
            // It is over.
        }
    }

    private static async Task<ClientWebSocket> ConnectAsync(BenchFolder folder, int person)
    {
        var socket = new ClientWebSocket();
        await folder.ConnectAsync(socket, PrivilegeRedis.NameOf(person));
        return socket;
    }

    private static Task SendAsync(ClientWebSocket socket, string json) => socket.SendAsync(Encoding.UTF8.GetBytes(json), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);

    private static void PrintDelays(string what, double[] delays)
    {
        Array.Sort(delays);
        Print(what, $"{delays[delays.Length / 2],12:F1} ms (median), {delays[delays.Length * 99 / 100]:F1} ms (p99), {delays[^1]:F1} ms (worst) of {delays.Length:N0}");
    }

    private static void Print(string what, FormattableString result) => Measure.Print(what, result.ToString(CultureInfo.InvariantCulture));

    /// <summary>A watcher of a publisher, from whom it is hidden and to whom it is shown in turn.</summary>
    private sealed class Pair
    {
        private readonly Lock gate = new();
        private bool isHidden;
        private bool isSeen; // what the last change leads to
        private long flippedAt;

        public List<double> Hidden { get; } = [];

        public List<double> Shown { get; } = [];

        /// <summary>Hides that no UNKNOWN has told.</summary>
        public int Missing { get; private set; }

        /// <summary>Statuses that came after UNKNOWN, while hidden.</summary>
        public int Leaks { get; private set; }

        /// <summary>The next change.</summary>
        /// <returns>Whether it hides.</returns>
        public bool Flip()
        {
            lock (gate)
            {
                Missing += isHidden && !isSeen ? 1 : 0;
                isHidden = !isHidden;
                isSeen = false;
                flippedAt = Stopwatch.GetTimestamp();
                return isHidden;
            }
        }

        /// <summary>A frame of the publisher.</summary>
        public void See(bool isUnknown)
        {
            lock (gate)
            {
                if (isUnknown == isHidden && !isSeen && flippedAt > 0)
                {
                    isSeen = true;
                    (isHidden ? Hidden : Shown).Add(Stopwatch.GetElapsedTime(flippedAt).TotalMilliseconds);
                }
                else if (isHidden && isSeen && !isUnknown)
                {
                    Leaks++;
                }
            }
        }
    }
}
