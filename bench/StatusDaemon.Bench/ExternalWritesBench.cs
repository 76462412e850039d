using System.Diagnostics;
using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using StackExchange.Redis;

namespace StatusDaemon.Bench;

/// <summary>The whole server over a Redis into which another program writes statuses: how late a watcher hears of them at 1,000 a second, and what becomes of 20,000.</summary>
/// <remarks>Each status carries when it was written as its timestamp. Server, Redis, writer and watcher share the machine.</remarks>
internal static class ExternalWritesBench
{
    private const int People = 2000;
    private static readonly TimeSpan Writing = TimeSpan.FromSeconds(15);

    public static async Task RunAsync()
    {
        await using var redis = await PrivilegeRedis.StartAsync();
        using var folder = await BenchFolder.CreateAsync($$"""
            STORAGE: { kind: redis }
            REDIS: { port: {{redis.Port}} }
            """);
        await File.WriteAllTextAsync(folder.DirectoryFile, "subscribers:\n" + string.Concat(Enumerable.Range(0, People).Select(person =>
            $"  - {{ uid: {PrivilegeRedis.UidOf(person)}, dname: {PrivilegeRedis.NameOf(person)}@ALPHA.TEST }}\n")));
        using var server = BenchServer.Start(folder.Settings);
        try
        {
            await BenchServer.ReadyAsync(folder.Port);
            await RunAsync(redis.Commands, server, folder, publishers: 200, rate: 1000);
            await RunAsync(redis.Commands, server, folder, publishers: People - 1, rate: 20_000);
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync();
        }
    }

    private static async Task RunAsync(IDatabase commands, Process server, BenchFolder folder, int publishers, int rate)
    {
        using var socket = new ClientWebSocket();
        await folder.ConnectAsync(socket, PrivilegeRedis.NameOf(People - 1));
        var watch = "{\"events\":{" + string.Join(',', Enumerable.Range(0, publishers).Select(person => $"\"{PrivilegeRedis.UidOf(person)}\":9")) + "}}";
        await socket.SendAsync(Encoding.UTF8.GetBytes(watch), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);

        var last = new Dictionary<string, long>(); // what was written last, for the reader to wait for
        var start = Stopwatch.GetTimestamp();
        using var stop = new CancellationTokenSource();
        var reading = ReadAsync(socket, start, last, stop.Token);
        server.Refresh();
        var cpu = server.TotalProcessorTime;
        var written = 0;
        for (; Stopwatch.GetElapsedTime(start) < Writing; written++)
        {
            if (written % 20 == 0)
            {
                for (var due = TimeSpan.FromSeconds((double)written / rate); Stopwatch.GetElapsedTime(start) < due;)
                {
                    await Task.Delay(1);
                }
            }

            var (uid, at) = (PrivilegeRedis.UidOf(written % publishers), Stopwatch.GetElapsedTime(start).Ticks);
            lock (last)
            {
                last[uid] = at;
            }

            _ = commands.StringSetAsync($"status:{uid}", string.Create(CultureInfo.InvariantCulture, $$"""{"status":{{(written % 7) + 1}},"timestamp":{{at}}}"""), flags: CommandFlags.FireAndForget);
        }

        server.Refresh();
        var took = Stopwatch.GetElapsedTime(start);
        var used = (server.TotalProcessorTime - cpu) / took;
        stop.CancelAfter(TimeSpan.FromSeconds(30));
        var (delays, lastAt) = await reading;
        delays.Sort();
        Print($"{rate:N0} writes/s wanted, of {publishers:N0} subscribers", $"{written / took.TotalSeconds,12:N0} /s, {used:P0} of a core, {server.WorkingSet64 / 1048576.0:F0} MiB resident");
        Print("  from SET to the frame", $"{delays[delays.Count / 2],12:F1} ms (median), {delays[delays.Count * 99 / 100]:F1} ms (p99), {delays[^1]:F1} ms (worst) of {delays.Count:N0}");
        Print("  all have the last status", $"{(lastAt - took).TotalSeconds,12:F2} s after the last write");
    }

    /// <summary>Reads until the watcher has what was written last of everybody, which is known once the writing has ended.</summary>
    private static async Task<(List<double> Delays, TimeSpan LastAt)> ReadAsync(ClientWebSocket socket, long start, Dictionary<string, long> last, CancellationToken stop)
    {
        var delays = new List<double>();
        var seen = new Dictionary<string, long>();
        var buffer = new byte[4096];
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer.AsMemory(), stop);
            var now = Stopwatch.GetElapsedTime(start);
            var frame = JsonDocument.Parse(buffer.AsMemory(0, received.Count)).RootElement;
            if (!frame.TryGetProperty("timestamp", out var timestamp))
            {
                continue;
            }

            var at = timestamp.GetInt64();
            delays.Add((now.Ticks - at) / (double)TimeSpan.TicksPerMillisecond);
            seen[frame.GetProperty("publisher").GetString()!] = at;
            if (now > Writing)
            {
                lock (last)
                {
                    if (last.All(pair => seen.GetValueOrDefault(pair.Key) == pair.Value))
                    {
                        return (delays, now);
                    }
                }
            }
        }
    }

    private static void Print(string what, FormattableString result) => Measure.Print(what, result.ToString(CultureInfo.InvariantCulture));
}
