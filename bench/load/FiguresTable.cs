using System.Globalization;
using System.Text;
using System.Text.Json;

namespace StatusDaemon.Load;

/// <summary>Runs side by side: the median of each figure of a server in a scenario, and its cost as a multiple of the floor's. The lines of <c>--json</c> have all figures.</summary>
internal static class FiguresTable
{
    private static readonly string[] Heads =
        ["scenario", "server", "runs", "connects/s", "µs/connect", "deliveries/s", "µs/delivery", "p50 ms", "p99 ms", "p99.9 ms", "RSS/conn ready", "settled", "× floor", "load µs/delivery"];

    /// <summary>Reads lines of <c>--json</c>.</summary>
    public static IReadOnlyList<Figures> Read(IEnumerable<string> lines)
    {
        try
        {
            return [.. lines.Where(line => line.Length > 0).Select(line => JsonSerializer.Deserialize(line, LoadJson.Default.Figures)!)];
        }
        catch (JsonException e)
        {
            throw new LoadException($"not a line of --json: {e.Message}");
        }
    }

    /// <summary>Writes it as Markdown.</summary>
    public static string Write(IReadOnlyList<Figures> runs)
    {
        var text = new StringBuilder();
        Row(text, Heads);
        Row(text, [.. Heads.Select((_, column) => column < 2 ? "---" : "---:")]);
        foreach (var scenario in runs.GroupBy(run => run.Scenario).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            var floor = Median(scenario.Where(run => run.Server == "floor"), run => run.Cost);
            foreach (var server in scenario.GroupBy(run => run.Server))
            {
                Row(text,
                [
                    scenario.Key, server.Key, server.Count().ToString(CultureInfo.InvariantCulture),
                    Show(server, run => Idle(run, run.ConnectsPerSecond), "N0"), Show(server, run => Idle(run, run.CpuPerConnect), "N0"),
                    Show(server, run => run.DeliveriesPerSecond, "N0"), Show(server, run => run.CpuPerDelivery, "N2"),
                    Show(server, run => run.P50 / 1000, "N2"), Show(server, run => run.P99 / 1000, "N2"), Show(server, run => run.P999 / 1000, "N2"),
                    Show(server, run => Idle(run, run.RssWhenReady), "N0"), Show(server, run => Idle(run, run.RssSettled), "N0"),
                    Median(server, run => run.Cost) is { } cost && floor > 0 ? (cost / floor.Value).ToString("N2", CultureInfo.InvariantCulture) : "",
                    Show(server, run => run.LoadCpuPerDelivery, "N2"),
                ]);
            }
        }

        foreach (var bad in runs.Where(run => !run.IsGood))
        {
            text.Append(CultureInfo.InvariantCulture, $"{bad.Scenario} {bad.Server}: {bad.Violations} violations, {bad.Failed} connections failed: {bad.Problem}\n");
        }

        return text.ToString();
    }

    private static void Row(StringBuilder text, IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");

    private static string Show(IEnumerable<Figures> runs, Func<Figures, double?> figure, string format) =>
        Median(runs, figure)?.ToString(format, CultureInfo.InvariantCulture) ?? "";

    /// <summary>A figure of connections, where they are the subject: the others begin to count while the server is still cold.</summary>
    private static double? Idle(Figures run, double? figure) => run.DeliveriesPerSecond is null ? figure : null;

    /// <summary>The middle one; of an even number the mean of the two.</summary>
    private static double? Median(IEnumerable<Figures> runs, Func<Figures, double?> figure)
    {
        double[] values = [.. runs.Select(figure).OfType<double>().Order()];
        return values.Length == 0 ? null : (values[(values.Length - 1) / 2] + values[values.Length / 2]) / 2;
    }
}
