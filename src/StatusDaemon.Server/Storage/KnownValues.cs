using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using StatusDaemon.Names;
using StatusDaemon.Statuses;

namespace StatusDaemon.Storage;

/// <summary>What a look at a key means, compared with what is known of it.</summary>
internal enum Sight
{
    /// <summary>Nothing new.</summary>
    Same,

    /// <summary>Somebody of us writes it just now: look again when that has ended.</summary>
    Unclear,

    /// <summary>It is gone, or older than we know: look again when it is sure that the server has lost nothing.</summary>
    Doubtful,

    /// <summary>Another program wrote a status.</summary>
    Foreign,

    /// <summary>Another program wrote what is no status.</summary>
    Unfit,

    /// <summary>Another program deleted it, or its time is over.</summary>
    Deleted,

    /// <summary>The daemon that had the shard before wrote it after we had read it.</summary>
    Earlier,

    /// <summary>Another daemon wrote it, which activated the shard later than we did.</summary>
    Later,
}

/// <summary>What happened to a server before its keys are looked at.</summary>
internal enum After
{
    /// <summary>Nothing.</summary>
    Nothing,

    /// <summary>It was away, or may have been: what it had acknowledged last may be lost.</summary>
    Gap,

    /// <summary>It has lost writes.</summary>
    Loss,
}

/// <summary>What was seen, and the status in it if there is one.</summary>
/// <param name="Problem">What is wrong with an <see cref="Sight.Unfit"/> value.</param>
/// <param name="End">What a <see cref="Sight.Deleted"/> key held.</param>
/// <param name="Record">What an <see cref="Sight.Earlier"/> key holds.</param>
internal readonly record struct Seen(Sight Sight, Status Status = default, ClientTimestamp Timestamp = default, string Problem = "", EndedValue? End = null, StatusRecord Record = default);

/// <summary>The shard that looks at a key.</summary>
/// <param name="Incarnation">The store's.</param>
/// <param name="Epoch">The shard's own: what was accepted before it has a lower one.</param>
internal readonly record struct Looker(ulong Incarnation, long Epoch);

/// <summary>Of each key the value that this daemon last wrote or read, as a digest: over that one alone it writes. Any thread may call.</summary>
/// <remarks>Looks and writes are numbered in one row, so that an answer that is older than a write is not taken for a change.</remarks>
/// <param name="uids">Shared by everything in the process.</param>
internal sealed class KnownValues(UidTable uids, TimeProvider clock)
{
    /// <summary>The digest of no value.</summary>
    private static readonly UInt128 Unknowable = UInt128.MaxValue;

    private readonly Lock gate = new();
    private readonly Dictionary<Uid, Known> values = new(Uid.Comparer);

    // Writes of which nobody knows whether they happened: seen later, they are ours.
    private readonly Dictionary<Uid, List<(UInt128 Digest, StatusVersion Version)>> unsure = new(Uid.Comparer);
    private readonly TimesToLive times = new(uids, clock);

    // Of another program's values over which we wrote something else before their shard had taken them: it will, and they are written then.
    private readonly TimesToLive owed = new(uids, clock);
    private long now;
    private long droppedAt;
    private long confirmed; // writes up to here are on every server where they should be

    /// <summary>Keys that are known to have a value, or to be about to.</summary>
    public int Count
    {
        get
        {
            lock (gate)
            {
                return values.Count;
            }
        }
    }

    /// <summary>Numbers a look, before the server is asked.</summary>
    public long BeginLook() => Interlocked.Increment(ref now);

    /// <summary>All subscribers with a value that was last seen or written before a look began: what that look should have met.</summary>
    public IReadOnlyList<Uid> NotSeenSince(long look)
    {
        lock (gate)
        {
            return [.. values.Where(pair => pair.Value.At < look && !pair.Value.IsWriting).Select(pair => pair.Key)];
        }
    }

    /// <summary>Forgets everything: the store is another one now.</summary>
    public void Clear() => Forget(static _ => true);

    /// <summary>Forgets what is known of some subscribers, whom others may write now.</summary>
    public void Forget(Func<Uid, bool> ofWhom)
    {
        lock (gate)
        {
            foreach (var uid in values.Keys.Where(ofWhom).ToArray())
            {
                values.Remove(uid);
                uids.Release(uid);
            }

            // What is of a key that is not there, or may not be, stands beside the values.
            foreach (var uid in unsure.Keys.Where(ofWhom).ToArray())
            {
                unsure.Remove(uid);
            }

            times.Forget(ofWhom);
            owed.Forget(ofWhom);
            droppedAt = Interlocked.Increment(ref now);
        }
    }

    /// <summary>Begins to write a record, unless what is there is as new.</summary>
    /// <param name="next">Digest of its value.</param>
    /// <param name="expected">Digest of the value that it may replace; 0 for none.</param>
    /// <param name="time">How long it is to live: what another program wrote as long as that program said, also in our form and after a loss.</param>
    public bool TryBeginWrite(Uid uid, in StatusRecord record, UInt128 next, out UInt128 expected, out TimeToLive time)
    {
        lock (gate)
        {
            ref var known = ref Find(uid);
            expected = known.Digest;
            var isExternal = record.Source.Kind == SourceKind.External;
            time = (isExternal, known.IsForeign) switch
            {
                (true, true) => new TimeToLive(IsKept: true),
                (true, false) => new TimeToLive(Left: times.LeftOf(uid) ?? owed.LeftOf(uid)),
                (false, var isOverForeign) => new TimeToLive(IsAsked: isOverForeign),
            };
            if (known.Digest == next || (known.Version.Incarnation == record.Version.Incarnation && !record.Version.IsNewerThan(known.Version)))
            {
                DropIfEmpty(uid, known);
                return false;
            }

            known.IsWriting = true;
            known.At = Interlocked.Increment(ref now);
            return true;
        }
    }

    /// <summary>Ends a write.</summary>
    /// <param name="isWritten">Null if nobody knows.</param>
    /// <param name="left">What the key has left to live, if it was written with a time; what the value that it replaced had left, if that was asked for. Null: until it is deleted.</param>
    public void EndWrite(Uid uid, in StatusRecord record, UInt128 next, bool? isWritten, TimeSpan? left = null)
    {
        lock (gate)
        {
            ref var known = ref Find(uid);
            known.IsWriting = false;
            known.At = Interlocked.Increment(ref now);
            if (isWritten == true)
            {
                NoteTimes(uid, record, known.IsForeign, left);
                known.Digest = next;
                known.Version = record.Version;
                known.IsForeign = false;
                known.WrittenAt = known.At;
                unsure.Remove(uid);
            }
            else
            {
                if (isWritten is null)
                {
                    var attempts = CollectionsMarshal.GetValueRefOrAddDefault(unsure, uid, out _) ??= [];
                    if (!attempts.Contains((next, record.Version)))
                    {
                        attempts.Add((next, record.Version));
                    }
                }

                DropIfEmpty(uid, known);
            }
        }
    }

    /// <summary>Notes of some writes that they are on every server where they should be: one that comes back without them is found out.</summary>
    /// <param name="upTo">Number of a look that began when they had ended.</param>
    public void Confirm(IEnumerable<Uid> written, long upTo)
    {
        lock (gate)
        {
            foreach (var uid in written)
            {
                ref var known = ref CollectionsMarshal.GetValueRefOrNullRef(values, uid);
                if (!Unsafe.IsNullRef(ref known) && known.WrittenAt <= upTo)
                {
                    known.WrittenAt = 0;
                }
            }
        }
    }

    /// <summary>Notes that all writes that had ended are, too.</summary>
    /// <inheritdoc cref="Confirm(IEnumerable{Uid}, long)" path="/param"/>
    public void Confirm(long upTo)
    {
        lock (gate)
        {
            confirmed = Math.Max(confirmed, upTo);
        }
    }

    /// <summary>Notes a value that was read for a shard that activates; one that is known differently is left for <see cref="Look"/>.</summary>
    /// <param name="isNewer">
    /// Whether it is newer than what another program had written, and a look has met. Whichever of the two the shard takes, what is there is not known from then on:
    /// the next look takes it for new.
    /// </param>
    /// <returns>Whether it is known differently.</returns>
    public bool Learn(Uid uid, UInt128 digest, StatusVersion version, bool isForeign, long look, out bool isNewer)
    {
        lock (gate)
        {
            ref var known = ref Find(uid);
            isNewer = known is { IsForeign: true, IsWriting: false } && known.At < look && known.Digest != digest;
            if (isNewer)
            {
                (known.Digest, known.At) = (Unknowable, look);
            }
            else if (known.Digest == 0 && !known.IsWriting)
            {
                (known.Digest, known.Version, known.IsForeign, known.At) = (digest, version, isForeign, look);
            }

            return known.Digest != digest;
        }
    }

    /// <summary>Notes what a key has left to live that was read for a shard that activates.</summary>
    public void LearnTime(Uid uid, TimeSpan? left)
    {
        lock (gate)
        {
            times.Note(uid, left);
        }
    }

    /// <summary>Compares what a look has met with what is known, and knows it from then on.</summary>
    /// <param name="value">Null if there is no such key.</param>
    /// <param name="look">Number of the look.</param>
    /// <param name="looker">Who looks.</param>
    /// <param name="after">What happened to the server: what is older than we know, or not there, may have been lost, and be no other program's doing.</param>
    /// <param name="isIntact">Whether it is sure since the look that the server has lost nothing.</param>
    /// <param name="writing">The record that is to be written over it; null for a mere look.</param>
    public Seen Look(Uid uid, byte[]? value, long look, Looker looker, After after, bool isIntact, StatusRecord? writing = null)
    {
        lock (gate)
        {
            ref var known = ref CollectionsMarshal.GetValueRefOrNullRef(values, uid);
            var isKnown = !Unsafe.IsNullRef(ref known);
            if (isKnown ? known.IsWriting || known.At > look : droppedAt > look)
            {
                return new Seen(Sight.Unclear);
            }

            var digest = value is null ? 0 : RedisStatusValue.DigestOf(value);
            if (digest == (isKnown ? known.Digest : 0))
            {
                if (isKnown)
                {
                    known.At = look;
                }

                return new Seen(Sight.Same);
            }

            var isUnconfirmed = isKnown && known.WrittenAt > confirmed;
            var isAfterLoss = after == After.Loss || (after == After.Gap && isUnconfirmed);
            if (value is null)
            {
                if (!isAfterLoss && (!isIntact || isUnconfirmed))
                {
                    return new Seen(isIntact ? Sight.Unclear : Sight.Doubtful); // it turns out in a moment whether the server still has what it acknowledged
                }

                return LookAtNothing(uid, ref known, isAfterLoss, writing);
            }

            if (unsure.TryGetValue(uid, out var ours) && ours.Find(write => write.Digest == digest) is var write && write.Digest == digest)
            {
                unsure.Remove(uid);
                Set(uid, digest, write.Version, isForeign: false);
                return new Seen(Sight.Same);
            }

            if (RedisStatusValue.TryReadOwn(uid, value, out var record) && record.Version.Incarnation == looker.Incarnation)
            {
                // What another program wrote and we have not put into our form yet is as easily lost as what we wrote last.
                if (!isKnown || ((isAfterLoss || (after == After.Gap && known.IsForeign)) && !record.Version.IsNewerThan(known.Version)))
                {
                    Set(uid, digest, record.Version, isForeign: false);
                    return new Seen(Sight.Same);
                }

                if (record.Version.IsNewerThan(known.Version))
                {
                    // No other program can have copied a version that was never in the store before.
                    if (record.Version.Epoch >= looker.Epoch && writing?.Version.IsNewerThan(record.Version) != true)
                    {
                        return new Seen(Sight.Later);
                    }

                    Set(uid, digest, record.Version, isForeign: false);
                    return writing is null ? new Seen(Sight.Earlier, Record: record) : new Seen(Sight.Same);
                }

                if (!isIntact || isUnconfirmed)
                {
                    return new Seen(isIntact ? Sight.Unclear : Sight.Doubtful);
                }
            }

            Set(uid, digest, isKnown ? known.Version : default, isForeign: true);
            return SeenForeign(uid, value);
        }
    }

    /// <summary>Takes a value that was seen as <see cref="Sight.Later"/> for another program's: nobody has come to own the shard after us.</summary>
    public Seen Adopt(Uid uid, byte[] value)
    {
        lock (gate)
        {
            Set(uid, RedisStatusValue.DigestOf(value), Find(uid).Version, isForeign: true);
            return SeenForeign(uid, value);
        }
    }

    /// <summary>Finds out what it means that a key is gone, and forgets it.</summary>
    private Seen LookAtNothing(Uid uid, ref Known known, bool isAfterLoss, StatusRecord? writing)
    {
        // What another program wrote, and was about to be put into our form, has ended itself; any other record is newer than what ended.
        var isNewer = writing is { } record && !(known.IsForeign && record.Source.Kind == SourceKind.External);
        var end = new EndedValue(known.Version, known.IsForeign);
        var isOver = times.LeftOf(uid) <= TimeSpan.Zero;
        known = default;
        DropIfEmpty(uid, known);
        if (isAfterLoss && !isOver)
        {
            return new Seen(Sight.Same);
        }

        times.Forget(uid);
        return isNewer ? new Seen(Sight.Same) : new Seen(Sight.Deleted, End: end);
    }

    private void NoteTimes(Uid uid, in StatusRecord record, bool wasForeign, TimeSpan? left)
    {
        if (record.Source.Kind == SourceKind.External)
        {
            times.Note(uid, left);
            owed.Forget(uid);
            return;
        }

        times.Forget(uid);
        if (wasForeign)
        {
            owed.Note(uid, left);
        }
    }

    private static Seen SeenForeign(Uid uid, byte[] value) =>
        RedisStatusValue.TryReadForeign(uid, value, out var status, out var timestamp, out var problem) ? new Seen(Sight.Foreign, status, timestamp)
        : new Seen(Sight.Unfit, Problem: problem);

    private void Set(Uid uid, UInt128 digest, StatusVersion version, bool isForeign)
    {
        ref var known = ref Find(uid);
        (known.Digest, known.Version, known.IsForeign, known.WrittenAt, known.At) = (digest, version, isForeign, 0, Interlocked.Increment(ref now));
        if (isForeign)
        {
            times.Forget(uid); // it is asked for when the value is put into our form
            owed.Forget(uid);
        }
    }

    private ref Known Find(Uid uid)
    {
        ref var known = ref CollectionsMarshal.GetValueRefOrNullRef(values, uid);
        if (Unsafe.IsNullRef(ref known))
        {
            values.Add(uids.Hold(uid), default);
            known = ref CollectionsMarshal.GetValueRefOrNullRef(values, uid);
        }

        return ref known;
    }

    private void DropIfEmpty(Uid uid, in Known known)
    {
        if (known.Digest == 0 && !known.IsWriting && values.Remove(uid, out _))
        {
            droppedAt = Interlocked.Increment(ref now);
            uids.Release(uid);
        }
    }

    /// <param name="Digest">0 where there is no key.</param>
    /// <param name="At">When it was last seen or written, in the row of looks and writes.</param>
    /// <param name="WrittenAt">When we wrote it, in that row; 0 if it was read.</param>
    private record struct Known(UInt128 Digest, StatusVersion Version, long At, long WrittenAt, bool IsForeign, bool IsWriting);
}
