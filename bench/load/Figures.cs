using System.Text.Json.Serialization;

namespace StatusDaemon.Load;

/// <summary>What one run came to: a line of <c>--json</c>. What does not apply, or cannot be known without the server's processes, is null.</summary>
internal sealed record Figures(string Scenario, string Server, int Connections)
{
    /// <summary>Connections with their watches, a second.</summary>
    public double? ConnectsPerSecond { get; init; }

    /// <summary>Processor time of the server for a connection, until it is calm again.</summary>
    public double? CpuPerConnect { get; init; }

    /// <summary>Deliveries a second.</summary>
    public double? DeliveriesPerSecond { get; init; }

    /// <summary>Processor time of the server for a delivery, in microseconds.</summary>
    public double? CpuPerDelivery { get; init; }

    /// <summary>Processor time of this program for a delivery, in microseconds.</summary>
    public double? LoadCpuPerDelivery { get; init; }

    /// <summary>Half of the deliveries were on the way for no longer, in microseconds.</summary>
    public double? P50 { get; init; }

    /// <summary>99 of 100.</summary>
    public double? P99 { get; init; }

    /// <summary>999 of 1,000.</summary>
    public double? P999 { get; init; }

    /// <summary>Memory of the server for a connection, as soon as all are up.</summary>
    public double? RssWhenReady { get; init; }

    /// <summary>The same some seconds later.</summary>
    public double? RssSettled { get; init; }

    /// <summary>Deliveries left out since newer ones took their place: allowed.</summary>
    public long Skipped { get; init; }

    /// <summary>Deliveries that came twice: allowed.</summary>
    public long Repeated { get; init; }

    /// <summary>What a server must not do.</summary>
    public long Violations { get; init; }

    /// <summary>Connections that did not come up, or broke.</summary>
    public int Failed { get; init; }

    /// <summary>The first of these, in words.</summary>
    public string? Problem { get; init; }

    /// <summary>Whether everything was as it should be.</summary>
    [JsonIgnore]
    public bool IsGood => Violations == 0 && Failed == 0;

    /// <summary>The figure that stands for the server's cost: memory of an idle connection, processor time of a connect or of a delivery.</summary>
    [JsonIgnore]
    public double? Cost => Scenario switch { "s1" => RssSettled, "s5" => CpuPerConnect, _ => CpuPerDelivery };
}
