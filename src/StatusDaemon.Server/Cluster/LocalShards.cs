using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace StatusDaemon.Cluster;

/// <summary>The shards that are active in this process: those whose rules this process's directory must keep up to date. Any thread may call.</summary>
internal sealed class LocalShards
{
    private readonly ConcurrentDictionary<int, Active> active = new();
    private long starts;
    private long moves;
    private volatile bool isLeaving;
    private volatile int daemons = 1;

    /// <summary>Whether this daemon is about to stop, so that no shard belongs here any more.</summary>
    public bool IsLeaving
    {
        get => isLeaving;
        set => isLeaving = value;
    }

    /// <summary>Numbers of all of them.</summary>
    public ICollection<int> Numbers => active.Keys;

    /// <summary>Daemons that are there, this one among them, as far as it knows.</summary>
    public int Daemons
    {
        get => daemons;
        set => daemons = value;
    }

    /// <summary>Makes the instruments of docs/operations.md, "Metrics".</summary>
    public void Measure(Meter meter)
    {
        meter.CreateObservableGauge("statusd.cluster.daemons", () => Daemons, "{daemon}", "Daemons that are there, this one among them, as far as it knows.");
        meter.CreateObservableGauge("statusd.shards.active", () => active.Count, "{shard}", "Shards that are active here.");
        meter.CreateObservableCounter("statusd.shards.started", () => Interlocked.Read(ref starts), "{shard}", "Times that a shard began here, for the first time or anew.");
        meter.CreateObservableCounter("statusd.shards.moved", () => Interlocked.Read(ref moves), "{shard}", "Times that one went to another daemon.");
    }

    /// <summary>Notes a shard.</summary>
    /// <param name="follow">Asks it, from any thread, to look at what has come for it: <see cref="IShardGrain.FollowAsync"/>.</param>
    public void Add(int shard, Func<Task> follow)
    {
        active[shard] = new Active(follow);
        Interlocked.Increment(ref starts);
    }

    /// <summary>How to ask a shard to look; null if it is not active here any more.</summary>
    public Func<Task>? Find(int shard) => active.GetValueOrDefault(shard)?.Follow;

    /// <summary>Ends when a shard is not active here any more.</summary>
    public Task EndedAsync(int shard) => active.GetValueOrDefault(shard)?.Ended.Task ?? Task.CompletedTask;

    /// <summary>Forgets a shard.</summary>
    /// <param name="hasMoved">Whether it begins at another daemon now.</param>
    public void Remove(int shard, bool hasMoved)
    {
        if (active.TryRemove(shard, out var ended))
        {
            if (hasMoved)
            {
                Interlocked.Increment(ref moves);
            }

            ended.Ended.SetResult();
        }
    }

    private sealed record Active(Func<Task> Follow)
    {
        public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
