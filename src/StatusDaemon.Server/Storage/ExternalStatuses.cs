using System.Runtime.CompilerServices;
using System.Threading.Channels;
using StatusDaemon.Names;
using StatusDaemon.Statuses;

namespace StatusDaemon.Storage;

/// <summary>A status that another program, or the daemon that had the shard before, wrote into the store.</summary>
/// <param name="Source">Who, through what, when it was seen.</param>
/// <param name="HeardAt">When it was first heard of, by <see cref="TimeProvider.GetTimestamp"/>.</param>
/// <param name="End">What ended, if it is UNKNOWN because that did: then a status that is newer than it stays. Null: it counts whatever there is.</param>
/// <param name="Look">Number of the look that met it.</param>
/// <param name="Version">Of what a daemon accepted that had the shard before: it counts where nothing newer is known. None for what another program wrote.</param>
internal readonly record struct ExternalStatus(
    Uid Uid, Status Status, ClientTimestamp Timestamp, ChangeSource Source, long HeardAt, long Look, EndedValue? End = null, StatusVersion Version = default);

/// <summary>A value that is there no more: it was deleted, or its time is over.</summary>
/// <param name="Version">Its version; that of the last value of ours if another program's stood over it.</param>
/// <param name="IsForeign">Whether another program wrote it and the daemon had not put it into its own form.</param>
internal readonly record struct EndedValue(StatusVersion Version, bool IsForeign);

/// <summary>What other programs wrote and the shards that are here have not taken yet: of each subscriber the latest. Any thread may call.</summary>
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

    /// <summary>Number of shards, those of other daemons too.</summary>
    public int Shards => waiting.Length;

    /// <summary>Statuses that wait.</summary>
    public int Count => waiting.Sum(shard => shard.Count);

    /// <summary>When the first of those that wait was heard of; null while none waits.</summary>
    public long? OldestAt => waiting.Min(shard => shard.OldestAt);

    /// <summary>A shard begins here: what is written from now on waits for it.</summary>
    public void Own(int shard, long epoch) => waiting[shard].Begin(epoch);

    /// <summary>A shard has ended here, unless it has begun again since.</summary>
    /// <returns>Whether it has ended.</returns>
    public bool Disown(int shard, long epoch) => waiting[shard].End(epoch);

    /// <summary>The epoch of the shard of a subscriber; 0 where it is not here.</summary>
    public long EpochOf(Uid uid) => waiting[uid.ShardOf(waiting.Length)].Epoch;

    /// <summary>Adds one, if its shard is here; it replaces an earlier one of the same subscriber.</summary>
    public void Put(in ExternalStatus status)
    {
        var shard = status.Uid.ShardOf(waiting.Length);
        if (waiting[shard].Put(status))
        {
            calls.Writer.TryWrite(shard);
        }
    }

    /// <summary>A shard has read something newer than what looks before this one met: if that waits, it would be told after it.</summary>
    public void Overtake(Uid uid, long look) => waiting[uid.ShardOf(waiting.Length)].Overtake(uid, look);

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
        private readonly Dictionary<Uid, long> overtaken = new(Uid.Comparer); // few: of whom something came while the shard read
        private long? oldestAt;
        private long epoch;
        private bool isCalled;

        public long Epoch => Interlocked.Read(ref epoch);

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

        public void Begin(long epoch)
        {
            lock (gate)
            {
                Interlocked.Exchange(ref this.epoch, epoch);
                overtaken.Clear();
                Clear();
            }
        }

        public bool End(long epoch)
        {
            lock (gate)
            {
                if (Interlocked.CompareExchange(ref this.epoch, 0, epoch) != epoch)
                {
                    return false;
                }

                overtaken.Clear();
                Clear();
                return true;
            }
        }

        /// <returns>Whether the shard has to be called.</returns>
        public bool Put(in ExternalStatus status)
        {
            lock (gate)
            {
                if (epoch == 0)
                {
                    return false;
                }

                if (status.Look < overtaken.GetValueOrDefault(status.Uid))
                {
                    return false;
                }

                // What another program wrote is newer than what any daemon had written before.
                if (!status.Version.IsNone && statuses.ContainsKey(status.Uid))
                {
                    return false;
                }

                // What ended before its shard took it was newer than all that the shard has.
                statuses[status.Uid] = statuses.ContainsKey(status.Uid) ? status with { End = null } : status;
                oldestAt ??= status.HeardAt;
                (var was, isCalled) = (isCalled, true);
                return !was;
            }
        }

        public void Overtake(Uid uid, long look)
        {
            lock (gate)
            {
                overtaken[uid] = look;
                if (statuses.TryGetValue(uid, out var status) && status.Look < look)
                {
                    statuses.Remove(uid);
                }
            }
        }

        public ExternalStatus[] Take()
        {
            lock (gate)
            {
                ExternalStatus[] taken = [.. statuses.Values];
                Clear();
                return taken;
            }
        }

        private void Clear()
        {
            statuses.Clear();
            oldestAt = null;
        }
    }
}
