using StatusDaemon.Daemon;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Routing;

namespace StatusDaemon.Simulation;

/// <summary>One run of a daemon with one shard: the real shard and outboxes. It may be stopped for a while, as by SIGSTOP or with its machine.</summary>
internal sealed class SimDaemon(Router router, RouterShard shard, Outboxes outboxes, DirectorySnapshot directory, TimeSpan activated)
{
    private readonly Dictionary<Uid, TimeSpan> renewed = new(Uid.Comparer);
    private TimeSpan missed;
    private TimeSpan? stoppedAt;

    /// <summary>Batches that were handed to the network and are not acknowledged: at most one a gateway.</summary>
    public Dictionary<GatewayId, (Outbox Outbox, DeliveryBatch Batch)> Outstanding { get; } = [];

    public Router Router { get; } = router;

    public RouterShard Shard { get; } = shard;

    public Outboxes Outboxes { get; } = outboxes;

    /// <summary>The rules that it has applied.</summary>
    public DirectorySnapshot Directory { get; set; } = directory;

    public bool IsDead { get; set; }

    public bool IsStopped => stoppedAt is not null;

    public void Stop(TimeSpan now) => stoppedAt = now;

    public void Continue(TimeSpan now)
    {
        // The first input after it counts one tick at most.
        missed += now - stoppedAt!.Value - RouterSettings.TickInterval is { Ticks: > 0 } more ? more : TimeSpan.Zero;
        stoppedAt = null;
    }

    /// <summary>It was told that somebody is connected.</summary>
    public void Renew(Uid subscriber, TimeSpan now) => renewed[subscriber] = now - missed;

    /// <summary>For how much of the time that it ran it has not been told that somebody is connected; leases that it could not know end with its activation.</summary>
    public TimeSpan UnheardFor(Uid subscriber, TimeSpan now) => now - missed - renewed.GetValueOrDefault(subscriber, activated);
}
