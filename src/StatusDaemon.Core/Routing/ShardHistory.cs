using StatusDaemon.Names;
using StatusDaemon.Statuses;

namespace StatusDaemon.Routing;

/// <summary>The changes of one shard: gives each its version, and keeps them in the feed that the store reads.</summary>
internal sealed class ShardHistory(RegisterTable registers, ulong incarnation, long activation)
{
    private readonly ChangeFeed feed = new(incarnation);
    private readonly long activation = activation;
    private long epoch = activation;
    private long seq;

    /// <summary>The last change that this activation made.</summary>
    public FeedKey LastChange => new(epoch, seq);

    /// <summary>Whether a version is of the store that this shard writes to.</summary>
    public bool IsOurs(StatusVersion version) => version.Incarnation == incarnation;

    /// <summary>Whether this activation gave a version, so that it is in the feed already.</summary>
    public bool IsOfThisActivation(StatusVersion version) => IsOurs(version) && version.Epoch >= activation;

    /// <summary>Whether somebody was told a later epoch than ours: the store was restored.</summary>
    public bool IsOutrunBy(StatusVersion version) => version.Epoch > epoch;

    /// <summary>Gives later versions a higher epoch.</summary>
    public void Raise(long higher) => epoch = higher > epoch ? higher : throw new ArgumentOutOfRangeException(nameof(higher));

    /// <summary>Puts a record into the register under a new version, as the newest change.</summary>
    public void Put(Register register, in StatusRecord record)
    {
        seq++;
        register.Record = record with { Version = new StatusVersion(incarnation, epoch, seq) };
        register.IsRead = true;
        register.IsHeld = false;
        register.TakenFrom = default;
        feed.Touch(register.Slot, LastChange);
    }

    /// <summary>Puts what the store remembers of earlier activations before everything that this one changed.</summary>
    /// <param name="remembered">In the order of their versions.</param>
    public void Remember(IEnumerable<Register> remembered) =>
        feed.Prepend([.. remembered.Select(register => (KeyOf(register.Version), register.Slot))]);

    /// <summary>Reads what changed since a cursor, each subscriber once, oldest change first.</summary>
    public FeedCursor Read(FeedCursor cursor, int max, ICollection<(Uid Uid, StatusRecord Record)> changes)
    {
        var slots = new List<int>();
        var next = feed.Read(cursor, max, slots);
        foreach (var slot in slots)
        {
            changes.Add((registers[slot].Uid, registers[slot].Record));
        }

        return next;
    }

    /// <summary>The place in the history of a version of ours.</summary>
    public static FeedKey KeyOf(StatusVersion version) => new(version.Epoch, version.Seq);
}
