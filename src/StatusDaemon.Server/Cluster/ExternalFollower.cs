using Microsoft.Extensions.Hosting;
using StatusDaemon.Storage;

namespace StatusDaemon.Cluster;

/// <summary>Brings what other programs write into the store to the shards of this daemon.</summary>
internal sealed class ExternalFollower(IStatusStore store, ShardWaker waker) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        await foreach (var shard in store.External.FollowAsync(stop))
        {
            waker.Wake(shard, stop);
        }
    }
}
