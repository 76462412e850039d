using StatusDaemon.Daemon;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Routing;

namespace StatusDaemon.Simulation;

/// <summary>One run of a daemon with one shard: the real shard and outboxes.</summary>
internal sealed class SimDaemon(Router router, RouterShard shard, Outboxes outboxes, DirectorySnapshot directory, TimeSpan activated)
{
    /// <summary>Batches that were handed to the network and are not acknowledged: at most one a gateway.</summary>
    public Dictionary<GatewayId, (Outbox Outbox, DeliveryBatch Batch)> Outstanding { get; } = [];

    public Router Router { get; } = router;

    public RouterShard Shard { get; } = shard;

    public Outboxes Outboxes { get; } = outboxes;

    /// <summary>The rules that it has applied.</summary>
    public DirectorySnapshot Directory { get; set; } = directory;

    /// <summary>When it began, by the steady clock: leases that it could not know end then.</summary>
    public TimeSpan Activated { get; } = activated;

    /// <summary>When it was last told that somebody is connected.</summary>
    public Dictionary<Uid, TimeSpan> Renewed { get; } = new(Uid.Comparer);

    public bool IsDead { get; set; }
}
