using System.Text.Json.Serialization;

namespace StatusDaemon.Load;

/// <summary>What one process of a run is told before it begins.</summary>
/// <param name="Path">Target of the upgrade; <c>%s</c> is the UID of the connection.</param>
/// <param name="Headers">Lines of the upgrade, with the same <c>%s</c>.</param>
/// <param name="Part">Its number among the processes.</param>
internal sealed record CrowdOrder(Scenario Scenario, DialectName Dialect, string Host, int Port, string Path, IReadOnlyList<string> Headers, int Part);

/// <summary>What a server speaks inside of its WebSocket frames.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DialectName>))]
internal enum DialectName
{
    /// <summary>docs/protocol.md.</summary>
    Statusd,

    /// <summary>NATS: a subject a subscriber.</summary>
    Nats,

    /// <summary>MQTT 3.1.1: a topic a subscriber.</summary>
    Mqtt,
}

/// <summary>One line of a crowd's process to the program that conducts it.</summary>
/// <param name="What"><c>connected</c>, <c>began</c>, <c>ended</c> or <c>checked</c>.</param>
internal sealed record CrowdReport(string What)
{
    /// <summary>How long connecting took.</summary>
    public double Seconds { get; init; }

    /// <summary>Connections that are up.</summary>
    public int Ready { get; init; }

    /// <summary>Connections that never came up, or broke.</summary>
    public int Failed { get; init; }

    /// <summary>What the first of them died of, and the first violation.</summary>
    public string? Problem { get; init; }

    /// <summary>Processor time of this process so far.</summary>
    public double CpuSeconds { get; init; }

    /// <summary>Deliveries within the measured time.</summary>
    public long Deliveries { get; init; }

    /// <summary>Of the publications made in the measured time: deliveries that never came, since a newer one took their place.</summary>
    public long Skipped { get; init; }

    /// <summary>Deliveries that came twice.</summary>
    public long Repeated { get; init; }

    /// <summary>Whatever a server must not do: see <see cref="Ledger"/>.</summary>
    public long Violations { get; init; }

    /// <summary>How long deliveries were on the way, as <see cref="Histogram.Counts"/>.</summary>
    public IReadOnlyList<long> Latencies { get; init; } = [];
}

/// <summary>The lines between the processes of a run, and the lines of <c>--json</c>.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(CrowdOrder))]
[JsonSerializable(typeof(CrowdReport))]
[JsonSerializable(typeof(Figures))]
internal sealed partial class LoadJson : JsonSerializerContext;
