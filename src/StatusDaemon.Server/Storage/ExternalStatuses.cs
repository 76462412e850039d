using System.Runtime.CompilerServices;
using System.Threading.Channels;
using StatusDaemon.Names;
using StatusDaemon.Statuses;

namespace StatusDaemon.Storage;

/// <summary>A status that another program wrote into the store.</summary>
/// <param name="Source">Who, through what, when it was seen.</param>
/// <param name="HeardAt">When it was first heard of, by <see cref="TimeProvider.GetTimestamp"/>.</param>
/// <param name="End">What ended, if it is UNKNOWN because that did: then a status that is newer than it stays. Null: it counts whatever there is.</param>
internal readonly record struct ExternalStatus(Uid Uid, Status Status, ClientTimestamp Timestamp, ChangeSource Source, long HeardAt, EndedValue? End = null);

/// <summary>A value that is there no more: it was deleted, or its time is over.</summary>
/// <param name="Version">Its version; that of the last value of ours if another program's stood over it.</param>
/// <param name="IsForeign">Whether another program wrote it and the daemon had not put it into its own form.</param>
internal readonly record struct EndedValue(StatusVersion Version, bool IsForeign);

/// <summary>What other programs wrote and the shards have not taken yet: of each subscriber the latest. Any thread may call.</summary>
/// <param name="shards">Number of shards, a power of two.</param>
/// <param name="refused">Is told which of them a shard does not take, and why.</param>
/// <param name="accepted">Is told which of them a shard has taken.</param>
internal sealed class ExternalStatuses(int shards, Action<Uid, string>? refused = null, Action<Uid>? accepted = null)
{
    /// <summary>Those of a store that is the daemon's alone: never any.</summary>
    public static readonly ExternalStatuses None = new(shards: 1);

    private readonly Waiting[] waiting = [.. Enumerable.Range(0, shards).Select(_ => new Waiting())];

    // A shard is in it once, however much waits for it.
    private readonly Channel<int> calls = Channel.CreateBounded<int>(new BoundedChannelOptions(shards));

    /// <summary>Statuses that wait.</summary>
    public int Count => waiting.Sum(shard => shard.Count);

    /// <summary>When the first of those that wait was heard of; null while none waits.</summary>
    public long? OldestAt => waiting.Min(shard => shard.OldestAt);

    /// <summary>Adds one; it replaces an earlier one of the same subscriber.</summary>
    public void Put(in ExternalStatus status)
    {
        var shard = status.Uid.ShardOf(waiting.Length);
        if (waiting[shard].Put(status))
        {
            calls.Writer.TryWrite(shard);
        }
    }

    /// <summary>Takes what waits for a shard.</summary>
    public IReadOnlyCollection<ExternalStatus> Take(int shard) => this == None ? [] : waiting[shard].Take();

    /// <summary>A shard does not take one.</summary>
    public void Refuse(Uid uid, string why) => refused?.Invoke(uid, why);

    /// <summary>A shard has taken one.</summary>
    public void Accept(Uid uid) => accepted?.Invoke(uid);

    /// <summary>Each shard for which something has come, until the caller stops. One reader.</summary>
    public async IAsyncEnumerable<int> FollowAsync([EnumeratorCancellation] CancellationToken stop)
    {
        await foreach (var shard in calls.Reader.ReadAllAsync(stop))
        {
            waiting[shard].IsCalled = false;
            yield return shard;
        }
    }

    private sealed class Waiting
    {
        private readonly Lock gate = new();
        private readonly Dictionary<Uid, ExternalStatus> statuses = new(Uid.Comparer);
        private long? oldestAt;
        private bool isCalled;

        public bool IsCalled
        {
            set
            {
                lock (gate)
                {
                    isCalled = value;
                }
            }
        }

        public int Count
        {
            get
            {
                lock (gate)
                {
                    return statuses.Count;
                }
            }
        }

        public long? OldestAt
        {
            get
            {
                lock (gate)
                {
                    return oldestAt;
                }
            }
        }

        /// <returns>Whether the shard has to be called.</returns>
        public bool Put(in ExternalStatus status)
        {
            lock (gate)
            {
                // What ended before its shard took it was newer than all that the shard has.
                statuses[status.Uid] = statuses.ContainsKey(status.Uid) ? status with { End = null } : status;
                oldestAt ??= status.HeardAt;
                (var was, isCalled) = (isCalled, true);
                return !was;
            }
        }

        public ExternalStatus[] Take()
        {
            lock (gate)
            {
                ExternalStatus[] taken = [.. statuses.Values];
                statuses.Clear();
                oldestAt = null;
                return taken;
            }
        }
    }
}
