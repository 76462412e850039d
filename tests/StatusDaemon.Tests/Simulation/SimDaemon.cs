using StatusDaemon.Daemon;
using StatusDaemon.Routing;

namespace StatusDaemon.Simulation;

/// <summary>One run of a daemon with one shard: the real shard and outboxes.</summary>
internal sealed class SimDaemon(Router router, RouterShard shard, Outboxes outboxes)
{
    /// <summary>Batches that were handed to the network and are not acknowledged: at most one a gateway.</summary>
    public Dictionary<GatewayId, (Outbox Outbox, DeliveryBatch Batch)> Outstanding { get; } = [];

    public Router Router { get; } = router;

    public RouterShard Shard { get; } = shard;

    public Outboxes Outboxes { get; } = outboxes;

    public bool IsDead { get; set; }
}
