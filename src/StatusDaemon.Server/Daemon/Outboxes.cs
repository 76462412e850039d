using System.Collections.Concurrent;
using StatusDaemon.Routing;

namespace StatusDaemon.Daemon;

/// <summary>The outboxes of one daemon, one for each gateway that has declared itself to any of its shards.</summary>
internal sealed class Outboxes
{
    private readonly ConcurrentDictionary<GatewayId, Outbox> open = new();

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
        }
    }
}
