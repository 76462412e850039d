using System.Text.RegularExpressions;
using StatusDaemon.Settings;

namespace StatusDaemon.Telemetry;

/// <summary>Whoever looks for an instrument in docs/operations.md finds it in the program, and the other way round.</summary>
public sealed partial class InstrumentTests
{
    [Fact]
    public void The_operations_page_lists_exactly_the_instruments_that_there_are_with_their_units()
    {
        var made = Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
            .SelectMany(File.ReadLines)
            .Where(line => Making.IsMatch(line))
            .Select(line => Instrument.Match(line) is { Success: true } found ? (found.Groups["name"].Value, found.Groups["unit"].Value) : (line.Trim(), "no name and unit as the first two arguments"));
        var listed = File.ReadLines(Path.Combine(Repository.Root, "docs", "operations.md"))
            .Select(line => Row.Match(line)).Where(row => row.Success)
            .Select(row => (row.Groups["name"].Value, row.Groups["unit"].Value));

        Assert.Equal(made.Order(), listed.Order());
    }

    [GeneratedRegex(@"\.Create(Observable)?(Counter|UpDownCounter|Gauge|Histogram)(<\w+>)?\(")]
    private static partial Regex Making { get; }

    // Name and unit, with the function of an observable one between them.
    [GeneratedRegex(@"\.Create\w+(<\w+>)?\(""(?<name>[\w.]+)"", (\(\) => .*, )?(unit: )?""(?<unit>[\w{}]+)"", ")]
    private static partial Regex Instrument { get; }

    [GeneratedRegex(@"^\| `(?<name>statusd\.[\w.]+)` \| (?<unit>[\w{}]+) \|")]
    private static partial Regex Row { get; }
}
