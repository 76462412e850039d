using Microsoft.Extensions.Logging;

namespace StatusDaemon.Cluster;

/// <summary>Lets shards of this daemon look at what has come for them, each by a task of its own.</summary>
/// <remarks>
/// A shard that does not answer is asked again until it does or is here no more: a rule that hides must not get lost. It holds up no other, and
/// is told what came meanwhile at once. Any thread may call.
/// </remarks>
internal sealed partial class ShardWaker(LocalShards shards, TimeProvider time, ILogger<ShardWaker> log)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly Lock gate = new();

    // Shards that have a task, and whether something has come for them since it last asked.
    private readonly Dictionary<int, bool> awake = [];

    /// <summary>Something has come for every shard.</summary>
    public void WakeAll(CancellationToken stop)
    {
        foreach (var shard in shards.Numbers)
        {
            Wake(shard, stop);
        }
    }

    /// <summary>Something has come for a shard. One that is not here, or starts anew, finds it by itself.</summary>
    public void Wake(int shard, CancellationToken stop)
    {
        lock (gate)
        {
            var isAwake = awake.ContainsKey(shard);
            awake[shard] = true;
            if (isAwake)
            {
                return;
            }
        }

        _ = FollowAsync(shard, stop);
    }

    private async Task FollowAsync(int shard, CancellationToken stop)
    {
        while (HasMore(shard))
        {
            await TellAsync(shard, stop);
        }
    }

    private bool HasMore(int shard)
    {
        lock (gate)
        {
            if (awake[shard])
            {
                awake[shard] = false;
                return true;
            }

            awake.Remove(shard);
            return false;
        }
    }

    private async Task TellAsync(int shard, CancellationToken stop)
    {
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

    [LoggerMessage(3201, LogLevel.Warning, "Shard {Shard} has not taken what came for it and is asked again until it does: {Reason}")]
    private partial void LogRetry(int shard, string reason);
}
