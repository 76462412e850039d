using Microsoft.Extensions.Hosting;
using StatusDaemon.Daemon;
using StatusDaemon.Directories;

namespace StatusDaemon.Cluster;

/// <summary>Puts each new snapshot of the directory in force at every shard of this daemon.</summary>
internal sealed class DirectoryFollower(ISubscriberDirectory directory, DirectoryChanges changes, ShardWaker waker) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        await foreach (var snapshot in directory.FollowAsync(stop))
        {
            changes.UpTo(snapshot);
            waker.WakeAll(stop);
        }
    }
}
