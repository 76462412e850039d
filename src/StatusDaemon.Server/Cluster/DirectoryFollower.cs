using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StatusDaemon.Daemon;
using StatusDaemon.Directories;

namespace StatusDaemon.Cluster;

/// <summary>Puts each new snapshot of the directory in force at every shard of this daemon.</summary>
/// <remarks>A shard that does not answer is asked again until it does: a rule that hides must not get lost.</remarks>
internal sealed partial class DirectoryFollower(ISubscriberDirectory directory, DirectoryChanges changes, LocalShards shards, ILogger<DirectoryFollower> log)
    : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        await foreach (var snapshot in directory.FollowAsync(stop))
        {
            changes.Take(snapshot);
            await Task.WhenAll(shards.All.Select(shard => TellAsync(shard, stop)));
        }
    }

    private async Task TellAsync(IShardGrain shard, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                await shard.FollowDirectoryAsync();
                return;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                LogRetry(shard.GetPrimaryKeyLong(), e.Message);
            }

            await Task.Delay(Pause, stop);
        }
    }

    [LoggerMessage(3201, LogLevel.Warning, "Shard {Shard} has not taken the new directory and is asked again: {Reason}")]
    private partial void LogRetry(long shard, string reason);
}
