using StatusDaemon.Daemon;
using StatusDaemon.Directories;
using StatusDaemon.Names;
using StatusDaemon.Routing;
using StatusDaemon.Storage;

namespace StatusDaemon.Cluster;

/// <summary>What all shards of a daemon share.</summary>
/// <param name="Flush"><c>STORAGE.flush</c>: a change is in the store after at most this time.</param>
internal sealed record ShardServices(
    RouterSettings Settings,
    UidTable Uids,
    ISubscriberDirectory Directory,
    DirectoryChanges Changes,
    IStatusStore Store,
    StatusScan Scan,
    Outboxes Outboxes,
    OutboxPump Pump,
    LocalShards LocalShards,
    StoreOutages Outages,
    SteadyClock Clock,
    TimeProvider Time,
    TimeSpan Flush,
    CancellationToken Stopping);
