using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using StatusDaemon.Routing;

namespace StatusDaemon.Daemon;

/// <summary>The outboxes of one daemon, one for each gateway that has declared itself to any of its shards.</summary>
internal sealed class Outboxes
{
    private readonly ConcurrentDictionary<GatewayId, Outbox> open = new();
    private long conflatedBefore; // by those that are closed
    private long givenUp;

    /// <summary>Makes the instruments of docs/operations.md, "Metrics".</summary>
    public void Measure(Meter meter, SteadyClock clock)
    {
        meter.CreateObservableGauge("statusd.outboxes.open", () => open.Count, "{gateway}", "Loops of gateways that this daemon's shards tell of changes.");
        meter.CreateObservableGauge("statusd.outboxes.waiting", () => open.Values.Sum(outbox => outbox.Count), "{delivery}", "What waits for them, beside one batch each that is under way.");
        meter.CreateObservableGauge("statusd.outboxes.lag", () => open.Values.Max(outbox => clock.Now.Steady - outbox.SentAt)?.TotalSeconds ?? 0, "s", "How long the batch that waits longest for its acknowledgement has waited.");
        meter.CreateObservableCounter("statusd.outboxes.conflated", () => Interlocked.Read(ref conflatedBefore) + open.Values.Sum(outbox => outbox.Conflated), "{delivery}", "What was dropped, since something newer took its place.");
        meter.CreateObservableCounter("statusd.outboxes.given_up", () => Interlocked.Read(ref givenUp), "{gateway}", "Times that one was given up, since it took nothing.");
    }

    /// <summary>The outbox of a gateway; null if it has none or was given up.</summary>
    public Outbox? Find(GatewayId gateway) => open.GetValueOrDefault(gateway);

    /// <summary>Puts in the outbox of a gateway that has none.</summary>
    /// <returns>False if it has one already.</returns>
    public bool TryAdd(GatewayId gateway, Outbox outbox) => open.TryAdd(gateway, outbox);

    /// <summary>Gives a gateway up. Its shards find no outbox at its next batch, and make it declare itself anew.</summary>
    public void Remove(GatewayId gateway)
    {
        if (open.TryRemove(gateway, out var outbox))
        {
            outbox.Close();
            Interlocked.Increment(ref givenUp);
            Interlocked.Add(ref conflatedBefore, outbox.Conflated);
        }
    }
}
