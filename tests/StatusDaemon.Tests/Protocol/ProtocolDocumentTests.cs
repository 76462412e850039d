using System.Globalization;
using StatusDaemon.Protocol;
using StatusDaemon.Statuses;

namespace StatusDaemon.Tests.Protocol;

/// <summary>docs/protocol.md says what the code does.</summary>
public sealed class ProtocolDocumentTests
{
    private static readonly string Document = File.ReadAllText(Path.Combine(RepositoryRoot(), "docs", "protocol.md"));

    [Fact]
    public void Every_error_code_is_in_section_5_in_its_order() =>
        Assert.Equal(Enum.GetValues<StatusDaemon.Protocol.ErrorCode>().Select(code => $"`{ErrorCodes.TextOf(code)}`"), FirstColumn("## 5."));

    [Fact]
    public void Every_closing_code_is_in_section_6_in_its_order() =>
        Assert.Equal(Enum.GetValues<CloseCode>().Select(code => ((int)code).ToString(CultureInfo.InvariantCulture)), FirstColumn("## 6."));

    [Fact]
    public void Every_status_is_in_section_3_1_with_its_number() =>
        Assert.Equal(
            Enum.GetValues<Status>().Select(status => $"| {(int)status} | {StatusNames.Of(status)} "),
            Rows("### 3.1").Select(row => row[..row.IndexOf('|', row.IndexOf('|', 1) + 1)]));

    [Fact]
    public void The_limits_of_section_8_are_the_defaults()
    {
        var defaults = new Limits();
        var rows = Rows("## 8.").Select(row => row.Split('|')).Where(cells => cells[3].Contains('`')).ToDictionary(cells => cells[3].Trim(), cells => cells[2].Trim());

        Assert.Equal($"{defaults.MessageBytes / 1024} KiB", rows["`message`"]);
        Assert.Equal(Number(defaults.SubscriptionsPerConnection), rows["`subscriptions`"]);
        Assert.Equal(Number(defaults.ConnectionsPerSubscriber), rows["`connections`"]);
        Assert.Equal($"{Number(defaults.MessagesPerSecond)} a second on average, {Number(defaults.MessageBurst)} at once", rows["`messages` (the burst is twice it)"]);
        Assert.Equal($"{defaults.Handshake.TotalSeconds} s", rows["`handshake`"]);
        Assert.Equal($"{defaults.Stalled.TotalSeconds} s", rows["`stalled`"]);
    }

    private static string Number(int number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static IEnumerable<string> FirstColumn(string section) => Rows(section).Select(row => row.Split('|')[1].Trim());

    /// <summary>The rows of a section's first table, without its head.</summary>
    private static IEnumerable<string> Rows(string section)
    {
        var text = Document[Document.IndexOf(section, StringComparison.Ordinal)..];
        return text.Split('\n').SkipWhile(line => !line.StartsWith('|')).TakeWhile(line => line.StartsWith('|')).Skip(2);
    }

    private static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "StatusDaemon.slnx")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests run outside of the repository.");
        }

        return folder.FullName;
    }
}
