using Microsoft.Extensions.Hosting;
using StatusDaemon.Storage;

namespace StatusDaemon.Cluster;

/// <summary>Brings what other programs write into the store to the shards of this daemon.</summary>
internal sealed class ExternalFollower(IStatusStore store, LocalShards shards, ShardWaker waker) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        await foreach (var shard in store.External.FollowAsync(stop))
        {
            if (shards.Find(shard) is null)
            {
                _ = store.External.Take(shard); // one that activates here later reads the store then
            }
            else
            {
                waker.Wake(shard, stop);
            }
        }
    }
}
