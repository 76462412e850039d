using System.Diagnostics.CodeAnalysis;

namespace StatusDaemon.Names;

/// <summary>The UIDs that something in this process holds on to, one object each, counted.</summary>
/// <remarks>
/// A watcher of twenty publishers is spoken of by many shards and by the gateway; one table keeps one object for all of them. What nobody
/// holds any more is forgotten, so that clients that invent UIDs cannot fill the memory. Any thread may call; the locks are held for a look-up.
/// </remarks>
public sealed class UidTable
{
    private const int Stripes = 64;

    private readonly Stripe[] stripes = [.. Enumerable.Range(0, Stripes).Select(_ => new Stripe())];

    /// <summary>A table in which nobody holds anything.</summary>
    public UidTable() => Connections = new ConnectionTable(this);

    /// <summary>The connections of those who bear the UIDs, shared as these are.</summary>
    public ConnectionTable Connections { get; }

    /// <summary>UIDs held now.</summary>
    public int Count => stripes.Sum(stripe => stripe.Count);

    /// <summary>The object for these bytes, held until <see cref="Release"/>. The bytes must be a valid UID.</summary>
    public Uid Hold(ReadOnlySpan<byte> utf8) => StripeOf(Uid.StableHash(utf8)).Hold(utf8);

    /// <summary>The table's object for an equal UID, held until <see cref="Release"/>.</summary>
    public Uid Hold(Uid uid) => StripeOf(uid.Stable).Hold(uid.Utf8);

    /// <summary>The object for these bytes: the one that is held, else a new one that nobody else has. The bytes must be a valid UID.</summary>
    public Uid Of(ReadOnlySpan<byte> utf8) => TryFind(utf8, out var uid) ? uid : throw NotAUid();

    /// <inheritdoc cref="Of"/>
    /// <returns>False if the bytes are not a UID.</returns>
    public bool TryFind(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out Uid? uid) => StripeOf(Uid.StableHash(utf8)).TryFind(utf8, out uid);

    /// <summary>Gives back one hold.</summary>
    /// <exception cref="InvalidOperationException">Nothing holds it: more was given back than was taken.</exception>
    public void Release(Uid uid) => StripeOf(uid.Stable).Release(uid);

    // The dictionary inside uses the low bits of the folded hash; the stripe uses other ones.
    private Stripe StripeOf(ulong hash) => stripes[(int)(hash >> 40) & (Stripes - 1)];

    private static InvalidOperationException NotAUid() => new("Bytes that are not a UID reached the table.");

    private sealed class Stripe
    {
        private readonly Lock gate = new();
        private readonly Dictionary<Uid, int> holds = new(Uid.Comparer);

        public int Count
        {
            get
            {
                lock (gate)
                {
                    return holds.Count;
                }
            }
        }

        public Uid Hold(ReadOnlySpan<byte> utf8)
        {
            lock (gate)
            {
                var byBytes = holds.GetAlternateLookup<ReadOnlySpan<byte>>();
                if (byBytes.TryGetValue(utf8, out var uid, out var count))
                {
                    holds[uid] = count + 1;
                    return uid;
                }

                uid = New(utf8);
                holds.Add(uid, 1);
                return uid;
            }
        }

        public bool TryFind(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out Uid? uid)
        {
            lock (gate)
            {
                if (holds.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(utf8, out uid, out _))
                {
                    return true;
                }
            }

            return Uid.TryParse(utf8, out uid);
        }

        public void Release(Uid uid)
        {
            lock (gate)
            {
                if (!holds.TryGetValue(uid, out var count))
                {
                    throw new InvalidOperationException($"{uid} is given back more often than it was taken.");
                }

                if (count == 1)
                {
                    holds.Remove(uid);
                }
                else
                {
                    holds[uid] = count - 1;
                }
            }
        }

        private static Uid New(ReadOnlySpan<byte> utf8) =>
            Uid.TryParse(utf8, out var uid) ? uid : throw NotAUid();
    }
}
