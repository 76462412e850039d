using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StatusDaemon.Daemon;
using StatusDaemon.Directories;
using StatusDaemon.Privileges;

namespace StatusDaemon.Cluster;

/// <summary>Puts each new snapshot of the directory in force at every shard of this daemon.</summary>
/// <remarks>
/// A shard that does not answer is asked again until it does or is here no more: a rule that hides must not get lost. It holds up no other, and
/// is told what came meanwhile at once.
/// </remarks>
internal sealed partial class DirectoryFollower(
    ISubscriberDirectory directory, DirectoryChanges changes, LocalShards shards, TimeProvider time, ILogger<DirectoryFollower> log)
    : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly Lock gate = new();

    // Shards that are being told now, by a task each.
    private readonly HashSet<int> told = [];

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        await foreach (var snapshot in directory.FollowAsync(stop))
        {
            changes.UpTo(snapshot);
            foreach (var shard in shards.Numbers)
            {
                lock (gate)
                {
                    if (!told.Add(shard))
                    {
                        continue; // its task sees that there is a newer one
                    }
                }

                _ = CatchUpAsync(shard, stop);
            }
        }
    }

    /// <summary>Tells one shard until it has the newest snapshot.</summary>
    private async Task CatchUpAsync(int shard, CancellationToken stop)
    {
        DirectoryChange change;
        do
        {
            change = changes.Last;
            await TellAsync(shard, stop);
        }
        while (!IsDone(shard, change));
    }

    private bool IsDone(int shard, DirectoryChange change)
    {
        lock (gate)
        {
            return ReferenceEquals(change, changes.Last) && told.Remove(shard);
        }
    }

    private async Task TellAsync(int shard, CancellationToken stop)
    {
        // One that starts anew reads the directory by itself, here or elsewhere.
        for (var isFirst = true; shards.Find(shard) is { } follow; isFirst = false)
        {
            try
            {
                await follow();
                return;
            }
            catch (Exception e) when (!stop.IsCancellationRequested)
            {
                if (isFirst)
                {
                    LogRetry(shard, e.Message);
                }
            }

            await Task.Delay(Pause, time, stop);
        }
    }

    [LoggerMessage(3201, LogLevel.Warning, "Shard {Shard} has not taken the new directory and is asked again until it does: {Reason}")]
    private partial void LogRetry(int shard, string reason);
}
