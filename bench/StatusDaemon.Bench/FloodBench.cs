using System.Diagnostics;
using System.Globalization;
using StatusDaemon.Load;

namespace StatusDaemon.Bench;

/// <summary>
/// The whole server under publications flat out, for a minute: starts it, connects clients that watch each other, and checks at the end that nobody misses
/// anything, and that nobody was shown as gone.
/// </summary>
/// <remarks>
/// Twice: publishers that wait for their own status before the next, which shows the cost of a delivery, and publishers that wait for nothing, which
/// offer more than anybody can deliver. A bystander, of whom and to whom nothing of this is, measures how long one status is on the way. The server runs
/// in trusted-header mode on loopback. Load and server share the machine, so the figures are for comparing two builds on one machine, not for a data sheet.
/// </remarks>
internal static class FloodBench
{
    private const int Clients = 2000;
    private const int WatchesEach = 100;
    private const int Publishers = 128;
    private static readonly TimeSpan Flood = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Runs both loads.</summary>
    public static async Task RunAsync()
    {
        foreach (var waits in (bool[])[true, false])
        {
            Console.WriteLine(waits ? "  -- each publisher waits for its own status" : "  -- publishers wait for nothing");
            var folder = Directory.CreateTempSubdirectory("statusd-flood-").FullName;
            var port = FreePorts.Next();
            using var server = Start(folder, port);
            try
            {
                await BenchServer.ReadyAsync(port);
                await RunAsync(server, port, waits);
            }
            finally
            {
                server.Kill();
                await server.WaitForExitAsync();
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static async Task RunAsync(Process server, int port, bool waits)
    {
        using var stop = new CancellationTokenSource();
        var random = new Random(1);
        var clients = Enumerable.Range(0, Clients).Select(number => new LoadClient(number, Publishers)).ToArray();
        var readers = new List<Task>(Clients + 1);
        var start = Stopwatch.GetTimestamp();
        foreach (var client in clients)
        {
            var others = Enumerable.Range(0, Publishers).Where(number => number != client.Number).ToArray();
            random.Shuffle(others);
            await JoinAsync(client, [.. others.Take(WatchesEach - 1), client.Number]);
        }

        Print("clients connected, with their watches", $"{Clients} in {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");
        using var bystander = new LoadClient(Clients, 0) { Pause = TimeSpan.FromMilliseconds(100) };
        await JoinAsync(bystander, [Clients]);
        await bystander.PublishAsync();

        using var end = new CancellationTokenSource();
        var before = clients.Sum(client => client.Received);
        var floods = clients[..Publishers].Select(publisher => BeginAsync(publisher, waits, end.Token)).ToArray();
        start = Stopwatch.GetTimestamp();
        var cpu = server.TotalProcessorTime;
        for (var round = 1; round <= 6; round++)
        {
            await Task.Delay(Flood / 6);
            server.Refresh();
            Print($"resident memory after {(int)(Flood / 6 * round).TotalSeconds} s", $"{server.WorkingSet64 / 1048576.0:F0} MiB");
        }

        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var delivered = clients.Sum(client => client.Received) - before;
        server.Refresh();
        Print("deliveries", $"{delivered / seconds,12:N0} /s, {(server.TotalProcessorTime - cpu).TotalMicroseconds / delivered:F2} us of server CPU each");
        TimeSpan[] delays = [.. bystander.Delays.Order()];
        Print("a bystander's status on the way", $"{delays[delays.Length / 2].TotalMilliseconds:F0} ms (median), {delays[^1].TotalMilliseconds:F0} ms (worst)");

        await end.CancelAsync();
        await Task.WhenAll(floods);
        start = Stopwatch.GetTimestamp();
        while (Missing() is > 0 && Stopwatch.GetElapsedTime(start) < Patience)
        {
            await Task.Delay(10);
        }

        Print("everybody has the last status of all after", $"{Stopwatch.GetElapsedTime(start).TotalSeconds:F2} s; missing: {Missing()}");
        Print("statuses that say that somebody is gone", $"{clients.Sum(client => client.Gone)}");
        await stop.CancelAsync();
        await Task.WhenAll(readers);
        foreach (var client in clients)
        {
            client.Dispose();
        }

        int Missing() => clients.Sum(client => client.Missing(clients));

        async Task JoinAsync(LoadClient client, int[] watched)
        {
            await client.ConnectAsync(port);
            readers.Add(client.ReadAsync(stop.Token));
            await client.WatchAsync(watched);
        }
    }

    private static async Task BeginAsync(LoadClient publisher, bool waits, CancellationToken end)
    {
        if (!waits)
        {
            await publisher.FloodAsync(end);
            return;
        }

        publisher.Pause = TimeSpan.Zero;
        await publisher.PublishAsync();
        await Task.Delay(Timeout.Infinite, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        publisher.Pause = null;
    }

    private static void Print(string what, FormattableString result) => Measure.Print(what, result.ToString(CultureInfo.InvariantCulture));

    private static Process Start(string folder, int port)
    {
        File.WriteAllText(Path.Combine(folder, "settings.yml"), $$"""
            AUTH: { mode: trusted-header }
            SERVICE: { port: {{port}}, offline: { after: 3s }, limits: { messages: 1000000 } }
            STATE: { path: {{folder}}/var }
            PRIVILEGES: { file: {{folder}}/directory.yml }
            """);
        File.WriteAllText(Path.Combine(folder, "directory.yml"), "subscribers: []\n");
        return BenchServer.Start(Path.Combine(folder, "settings.yml"));
    }
}
