using System.Collections.Concurrent;

namespace StatusDaemon.Cluster;

/// <summary>The shards that are active in this process: those whose rules this process's directory must keep up to date.</summary>
internal sealed class LocalShards
{
    private readonly ConcurrentDictionary<int, Func<Task>> active = new();

    /// <summary>Whether this daemon is about to stop, so that no shard belongs here any more.</summary>
    public bool IsLeaving { get; set; }

    /// <summary>Numbers of all of them.</summary>
    public ICollection<int> Numbers => active.Keys;

    /// <summary>Notes a shard.</summary>
    /// <param name="follow">Asks it, from any thread, to look at what has come for it: <see cref="IShardGrain.FollowAsync"/>.</param>
    public void Add(int shard, Func<Task> follow) => active[shard] = follow;

    /// <summary>How to ask a shard to look; null if it is not active here any more.</summary>
    public Func<Task>? Find(int shard) => active.GetValueOrDefault(shard);

    public void Remove(int shard) => active.TryRemove(shard, out _);
}
