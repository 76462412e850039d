using System.Collections.Concurrent;

namespace StatusDaemon.Cluster;

/// <summary>The shards that are active in this process: those whose rules this process's directory must keep up to date.</summary>
internal sealed class LocalShards
{
    private readonly ConcurrentDictionary<int, IShardGrain> active = new();

    /// <summary>References to all of them.</summary>
    public ICollection<IShardGrain> All => active.Values;

    /// <summary>How many.</summary>
    public int Count => active.Count;

    public void Add(int shard, IShardGrain grain) => active[shard] = grain;

    public void Remove(int shard) => active.TryRemove(shard, out _);
}
