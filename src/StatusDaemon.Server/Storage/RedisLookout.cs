using System.Text;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using StatusDaemon.Names;
using StatusDaemon.Redis;
using StatusDaemon.Statuses;

namespace StatusDaemon.Storage;

/// <summary>Finds out what other programs do to the status database: keys ring, their values are looked at, and what is new is handed to the shards.</summary>
/// <remarks>Truth is the value and never the bell: a key that rang ten times is looked at once, and what rang in vain by a sweep.</remarks>
/// <param name="isShared">Whether other daemons may come to own our shards.</param>
internal sealed partial class RedisLookout(
    RedisStatusKeys keys, KnownValues known, ExternalStatuses external, UidTable uids, bool isShared, string through, TimeProvider clock, ILogger log)
{
    /// <summary>Keys that may ring before they are looked at; more of them make a sweep.</summary>
    public const int MaxRung = 1_000_000;

    private const int KeysPerLook = 512;

    /// <summary>How much a sweep in the background reads at once, and how long it rests then: 100,000 keys in five seconds, a few per cent of a core.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(25);

    private readonly RungKeys<Uid> rung = new(MaxRung, Uid.Comparer);
    private readonly ToldOnce told = new(capacity: 10_000);

    // What a sweep has seen of another daemon; what the next one still sees is nobody's who owns the shard.
    private Dictionary<Uid, UInt128> strangers = new(Uid.Comparer);

    private long refused;

    /// <summary>The store's incarnation; 0 until it is known.</summary>
    public ulong Incarnation { get; set; }

    /// <summary>Keys that wait to be looked at.</summary>
    public int Waiting => rung.Count;

    /// <summary>Values that were no status, or of somebody whose status nobody else may set, since the start.</summary>
    public long Refused => Interlocked.Read(ref refused);

    /// <summary>How long what waits longest has waited, looked at or not; zero while nothing waits.</summary>
    public TimeSpan Lag
    {
        get
        {
            long? oldest = (rung.OldestAt, external.OldestAt) switch
            {
                ({ } heard, { } seen) => Math.Min(heard, seen),
                var (heard, seen) => heard ?? seen,
            };
            return oldest is { } at ? clock.GetElapsedTime(at) : TimeSpan.Zero;
        }
    }

    /// <summary>Whether more rang than could be kept, since the last call: then everything must be looked at.</summary>
    public bool HasOverflown() => rung.HasOverflown();

    /// <summary>A key of a status rang; of a shard that is not here nothing follows. Never blocks.</summary>
    public void Ring(ReadOnlySpan<byte> uid, ReadOnlySpan<byte> key)
    {
        if (uids.TryFind(uid, out var found))
        {
            if (IsOurs(found))
            {
                rung.Add(found, clock.GetTimestamp());
            }
        }
        else
        {
            RefuseKey(key);
        }
    }

    /// <summary>Looks at what rings, until something fails.</summary>
    /// <param name="isIntact">Whether the database still is the one that we filled: asked before a key that is not there is taken for deleted.</param>
    /// <exception cref="RedisAwayException">Redis is away; what rang waits.</exception>
    public async Task WatchAsync(Func<Task<bool>> isIntact, CancellationToken stop)
    {
        while (true)
        {
            await rung.Rung.WaitAsync(stop);
            var rings = rung.Take(KeysPerLook);
            var unclear = 0;
            try
            {
                unclear = await LookAsync(rings, isIntact, After.Nothing);
            }
            catch
            {
                rung.PutBack();
                throw;
            }

            rung.Done();

            if (unclear == rings.Count)
            {
                await Task.Delay(1, stop); // all of them are being written by us
            }
        }
    }

    /// <summary>Looks at every key there is, and at every one that should be.</summary>
    /// <param name="after">What happened to the servers.</param>
    /// <param name="isUrgent">Without a rest: clients wait for it.</param>
    /// <exception cref="RedisAwayException">Redis is away.</exception>
    public async Task SweepAsync(IReadOnlyList<IServer> servers, Func<Task<bool>> isIntact, After after, bool isUrgent, CancellationToken stop)
    {
        var first = known.BeginLook();
        var before = strangers;
        strangers = new(Uid.Comparer);
        foreach (var server in servers)
        {
            await foreach (var page in keys.KeysAsync(server).WithCancellation(stop))
            {
                await LookAsync([.. UidsOf(page).Where(IsOurs).Select(Unrung)], isIntact, after, before);
                if (!isUrgent)
                {
                    await Task.Delay(Rest, clock, stop);
                }
            }
        }

        foreach (var missing in known.NotSeenSince(first).Chunk(KeysPerLook))
        {
            await LookAsync([.. missing.Select(Unrung)], isIntact, after, before);
            stop.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Takes what a write found in the place of the value that it would have replaced.</summary>
    /// <param name="value">Null if there was none.</param>
    /// <param name="look">Number of the look that the write was.</param>
    /// <param name="isIntact">Whether it is sure since the write that the server has lost nothing.</param>
    /// <returns>What it is. A status of another program goes to the shard: it is newer than what was to be written.</returns>
    public Sight TakeInstead(in StoredStatus stored, byte[]? value, long look, bool isIntact)
    {
        var uid = stored.Uid;
        var seen = known.Look(uid, value, look, LookerFor(uid), After.Nothing, isIntact, stored.Record);
        Report(uid, value, seen, look, clock.GetTimestamp(), before: null);
        return seen.Sight;
    }

    /// <summary>A shard refuses what another program wrote: counted, and told once for each key.</summary>
    public void Refuse(Uid uid, string why)
    {
        Interlocked.Increment(ref refused);
        if (told.IsFirst(uid))
        {
            LogRefused(keys.KeyOf(uid), why);
        }
    }

    /// <summary>A shard has taken what another program wrote: what is refused next is told again.</summary>
    public void Accept(Uid uid) => told.Forget(uid);

    /// <summary>The subscribers of keys; a key that is none's is told once.</summary>
    public IEnumerable<Uid> UidsOf(IEnumerable<byte[]> page)
    {
        foreach (var key in page)
        {
            if (keys.TryReadKey(key, out var bytes) && uids.TryFind(bytes, out var uid))
            {
                yield return uid;
            }
            else
            {
                RefuseKey(key);
            }
        }
    }

    /// <summary>The source of what is seen now.</summary>
    public ChangeSource SourceNow() => new(SourceKind.External, "redis", through, clock.GetUtcNow());

    private bool IsOurs(Uid uid) => external.EpochOf(uid) > 0;

    private Looker LookerFor(Uid uid) => new(Incarnation, external.EpochOf(uid));

    private Ring<Uid> Unrung(Uid uid) => new(uid, clock.GetTimestamp());

    private async Task<int> LookAsync(IReadOnlyList<Ring<Uid>> rings, Func<Task<bool>> isIntact, After after, Dictionary<Uid, UInt128>? before = null)
    {
        var look = known.BeginLook();
        var values = await keys.ReadAsync([.. rings.Select(ring => ring.Key)]);
        var unclear = 0;
        int[] doubtful = [.. Enumerable.Range(0, values.Length).Where(index => !Take(index, isSure: after == After.Loss))];
        if (doubtful.Length > 0)
        {
            if (!await isIntact())
            {
                throw RedisAwayException.Lost();
            }

            foreach (var index in doubtful)
            {
                Take(index, isSure: true);
            }
        }

        return unclear;

        bool Take(int index, bool isSure)
        {
            var (uid, at) = rings[index];
            if (!IsOurs(uid))
            {
                return true; // its shard has ended here meanwhile
            }

            var seen = known.Look(uid, values[index], look, LookerFor(uid), after, isSure);
            if (seen.Sight == Sight.Unclear)
            {
                unclear++;
                rung.Add(uid, at);
            }
            else if (seen.Sight != Sight.Doubtful)
            {
                Report(uid, values[index], seen, look, at, before);
            }

            return seen.Sight != Sight.Doubtful;
        }
    }

    private void Report(Uid uid, byte[]? value, Seen seen, long look, long heardAt, Dictionary<Uid, UInt128>? before)
    {
        switch (seen.Sight)
        {
            case Sight.Foreign:
                external.Put(new ExternalStatus(uid, seen.Status, seen.Timestamp, SourceNow(), heardAt, look));
                break;
            case Sight.Deleted:
                external.Put(new ExternalStatus(uid, Status.Unknown, default, SourceNow(), heardAt, look, seen.End));
                break;
            case Sight.Earlier:
                external.Put(new ExternalStatus(uid, seen.Record.Status, seen.Record.Timestamp, seen.Record.Source, heardAt, look, Version: seen.Record.Version));
                break;
            case Sight.Unfit:
                Refuse(uid, seen.Problem);
                break;
            case Sight.Later when before is not null && !isShared: // else we are the one who has lost the shard, and does not know yet
                var digest = RedisStatusValue.DigestOf(value);
                if (before.GetValueOrDefault(uid) == digest)
                {
                    Report(uid, value, known.Adopt(uid, value!), look, heardAt, before: null);
                }
                else
                {
                    strangers[uid] = digest;
                }

                break;
        }
    }

    private void RefuseKey(ReadOnlySpan<byte> key)
    {
        Interlocked.Increment(ref refused);
        if (told.IsFirstNameless())
        {
            LogRefused(Encoding.UTF8.GetString(key), "no UID: 1 to 128 bytes without control characters");
        }
    }

    [LoggerMessage(4103, LogLevel.Warning, "Another program's value of {Key} is not taken: {Reason}. It stays until the next status of the subscriber.")]
    private partial void LogRefused(string key, string reason);
}
