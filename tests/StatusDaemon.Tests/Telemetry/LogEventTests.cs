using System.Globalization;
using System.Text.RegularExpressions;
using StatusDaemon.Settings;

namespace StatusDaemon.Tests.Telemetry;

/// <summary>An administrator who greps the log for an event id finds one event, and what it means in docs/operations.md.</summary>
public sealed partial class LogEventTests
{
    private static readonly (int Id, string Level, string Room, string Line)[] Events =
    [
        .. Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
            .SelectMany(file => File.ReadLines(file)
                .Where(line => line.TrimStart().StartsWith("[LoggerMessage(", StringComparison.Ordinal))
                .Select(line => (Event.Match(line), Path.GetFileName(Path.GetDirectoryName(file))!, line.Trim())))
            .Select(found => (Number(found.Item1.Groups["id"]), found.Item1.Groups["level"].Value, found.Item2, found.Item3)),
    ];

    [Fact]
    public void Each_event_is_written_with_its_number_and_level_first() =>
        Assert.Empty(Events.Where(found => found.Id == 0).Select(found => found.Line));

    [Fact]
    public void No_two_events_share_a_number() =>
        Assert.Empty(Events.GroupBy(found => found.Id).Where(same => same.Count() > 1).Select(same => same.Key));

    [Fact]
    public void A_hundred_belongs_to_one_room() =>
        Assert.Empty(Events.GroupBy(found => found.Id / 100).Where(hundred => hundred.Select(found => found.Room).Distinct().Count() > 1).Select(hundred => hundred.Key * 100));

    [Fact]
    public void The_operations_page_lists_exactly_the_events_that_there_are_with_their_levels()
    {
        var listed = File.ReadLines(Path.Combine(Repository.Root, "docs", "operations.md"))
            .Select(line => Row.Match(line)).Where(row => row.Success)
            .Select(row => (Number(row.Groups["id"]), row.Groups["level"].Value));

        Assert.Equal(Events.Select(found => (found.Id, WrittenAs(found.Level))).Order(), listed);
    }

    /// <summary>As the log writes the level.</summary>
    private static string WrittenAs(string level) => level == "Information" ? "info" : level.ToLowerInvariant();

    private static int Number(Group digits) => digits.Success ? int.Parse(digits.Value, CultureInfo.InvariantCulture) : 0;

    [GeneratedRegex(@"^\s*\[LoggerMessage\((?<id>\d+), LogLevel\.(?<level>\w+), """)]
    private static partial Regex Event { get; }

    [GeneratedRegex(@"^\| (?<id>\d{4}) \| (?<level>\w+) \|")]
    private static partial Regex Row { get; }
}
