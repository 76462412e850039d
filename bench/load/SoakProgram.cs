using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace StatusDaemon.Load;

/// <summary>Runs a <see cref="Soak"/> against a statusd of its own, and says what became of the server's files, memory and quiet.</summary>
internal static class SoakProgram
{
    /// <summary>How many are kept unless somebody says otherwise.</summary>
    public const int Connections = 18_000;

    /// <summary>How long they come and go unless somebody says otherwise.</summary>
    public const int Seconds = 600;

    private const double ChangesPerSecond = 100;
    private const int SpareFiles = 100;
    private const double MostGrowth = 1.1;
    private const double MostCpuInQuiet = 3;

    private static readonly TimeSpan Look = TimeSpan.FromSeconds(30);

    /// <summary>Until a storm is over for the server, and its memory given back.</summary>
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(10);

    /// <summary>Half a request is ended after ten seconds, who answers nothing after ninety: then nobody is there but those who behave.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(100);

    /// <summary>Runs it.</summary>
    /// <param name="program">Path of <c>statusd.dll</c>.</param>
    /// <returns>1 if the server has kept something, is not quiet, ended somebody who behaved, or has errors in its log.</returns>
    public static async Task<int> RunAsync(string program, int connections, TimeSpan time, TextWriter output)
    {
        await using var server = await StartedServer.StatusdAsync(program);
        var process = server.Target.Processes[0];
        var meter = new ServerMeter([process]);
        using var soak = new Soak(new IPEndPoint(IPAddress.Loopback, server.Target.Url.Port), connections);
        soak.Fill();
        await output.WriteLineAsync("  time   settled     ended  wronged   files  RSS MiB  CPU %");

        var start = Stopwatch.GetTimestamp();
        soak.Rest(Calm);
        var first = await MeasureAsync(0);
        var own = first.Files - soak.Settled; // of the server itself
        for (var at = TimeSpan.Zero; at < time; at = Stopwatch.GetElapsedTime(start))
        {
            var before = meter.CpuSeconds;
            var look = time - at < Look ? time - at : Look;
            soak.Churn(look, ChangesPerSecond);
            await MeasureAsync((meter.CpuSeconds - before) / look.TotalSeconds);
        }

        // Between the two rows that are compared lies nothing but what came and went: in both everybody behaves, has a status, and is quiet.
        soak.Rest(Farewell);
        var quiet = meter.CpuSeconds;
        soak.Rest(Look);
        var last = await MeasureAsync((meter.CpuSeconds - quiet) / Look.TotalSeconds);
        string?[] faults =
        [
            last.Files > own + soak.Settled + SpareFiles ? $"{last.Files} files for {soak.Settled} connections and {own} of its own" : null,
            last.Resident > first.Resident * MostGrowth ? $"{last.Resident >> 20} MiB are left of {first.Resident >> 20}" : null,
            last.CpuPercent > MostCpuInQuiet ? string.Create(CultureInfo.InvariantCulture, $"{last.CpuPercent:F1} % of a core in quiet") : null,
            soak.Wronged > 0 ? $"{soak.Wronged} who behaved were ended" : null,
            .. server.Complaints,
        ];
        foreach (var fault in faults.OfType<string>())
        {
            await output.WriteLineAsync($"FAULT: {fault}");
        }

        return faults.Any(fault => fault is not null) ? 1 : 0;

        async Task<Row> MeasureAsync(double cores)
        {
            var now = new Row(Directory.GetFiles($"/proc/{process}/fd").Length, meter.ResidentBytes, cores * 100);
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{Stopwatch.GetElapsedTime(start),6:mm\\:ss} {soak.Settled,9} {soak.Ended,9} {soak.Wronged,8} {now.Files,7} {now.Resident >> 20,8} {now.CpuPercent,6:F1}"));
            return now;
        }
    }

    private readonly record struct Row(int Files, long Resident, double CpuPercent);
}
