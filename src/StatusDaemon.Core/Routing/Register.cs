using StatusDaemon.Names;
using StatusDaemon.Statuses;

namespace StatusDaemon.Routing;

/// <summary>All that a router keeps of one publisher.</summary>
internal sealed class Register(int slot, Uid uid) : ISlotted
{
    private const int StepBits = 17; // 13 ms

    public SlotPages<Watch> Watches;

    /// <summary>Connections of the subscriber itself.</summary>
    public int Leases;

    /// <summary>Watches that wait for their first answer.</summary>
    public int Waiting;

    /// <summary>The register table's.</summary>
    public int Link;

    /// <summary>Watches that are shown this publisher, by gateway.</summary>
    public ShownCounts Shown;

    // The record, member by member, since one struct in another is padded.
    private Bytes bytes;
    private string? actor;
    private string? through;
    private long at;

    private Aside? aside;

    public int Slot { get; } = slot;

    public Uid Uid { get; } = uid;

    public StatusRecord Record
    {
        get => new(bytes.Status, bytes.Timestamp, Version, new ChangeSource(bytes.Kind, actor!, through!, new DateTimeOffset(at, TimeSpan.Zero)));
        set
        {
            (bytes.Status, bytes.Timestamp, Version) = (value.Status, value.Timestamp, value.Version);
            (bytes.Kind, actor, through, at) = (value.Source.Kind, value.Source.Actor, value.Source.Through, value.Source.At.UtcTicks);
        }
    }

    /// <summary>The record's.</summary>
    public StatusVersion Version { get; private set; }

    /// <summary>Whether the record is known: the store was asked, or something newer was accepted.</summary>
    public bool IsRead
    {
        get => Has(Flags.IsRead);
        set => Set(Flags.IsRead, value);
    }

    /// <summary>Whether the store was asked for it and has not answered yet.</summary>
    public bool IsAsked
    {
        get => Has(Flags.IsAsked);
        set => Set(Flags.IsAsked, value);
    }

    /// <summary>Whether it was in the directory and is no more: hidden from everyone, also where unknown UIDs are accepted (decision 0011).</summary>
    public bool IsRemoved
    {
        get => Has(Flags.IsRemoved);
        set => Set(Flags.IsRemoved, value);
    }

    /// <summary>Whether the record came from a gateway and waits to be compared with the store's.</summary>
    public bool IsHeld
    {
        get => Has(Flags.IsHeld);
        set => Set(Flags.IsHeld, value);
    }

    /// <summary>Whether somebody who is connected has said a status here, or had before this activation: then he is not gone, whoever believes it.</summary>
    public bool HasSpoken
    {
        get => Has(Flags.HasSpoken);
        set => Set(Flags.HasSpoken, value);
    }

    /// <summary>Whether the record is what a connection had said before the offline rule spoke: another one may have spoken later.</summary>
    public bool IsRestored
    {
        get => Has(Flags.IsRestored);
        set => Set(Flags.IsRestored, value);
    }

    /// <summary>Notes when a status was said that this activation accepts, by the clock that always counts.</summary>
    public void NoteSaid(TimeSpan at) => bytes.SaidAt = StepOf(at);

    /// <summary>Whether the status that this activation accepted last was said after a moment, by more than a step of the clock.</summary>
    /// <param name="moment">Less than ten months away from it: the steps come round in twenty-one.</param>
    public bool WasSaidAfter(TimeSpan moment) => (int)(bytes.SaidAt - StepOf(moment)) > 0;

    /// <summary>The version that the record had before it was taken over from a gateway: what another gateway's record is compared with. None for a record of our own.</summary>
    public StatusVersion TakenFrom
    {
        get => aside?.TakenFrom ?? default;
        set
        {
            if (aside is not null || !value.IsNone)
            {
                (aside ??= new Aside()).TakenFrom = value;
            }
        }
    }

    /// <summary>When it goes offline unless a connection comes, by the router's <see cref="AwakeClock"/>; null while nothing is due.</summary>
    public TimeSpan? OfflineAt
    {
        get => aside?.OfflineAt;
        set
        {
            if (aside is not null || value is not null)
            {
                (aside ??= new Aside()).OfflineAt = value;
            }
        }
    }

    /// <summary>When the last connection that is gone was there, by the same clock; null before one has gone.</summary>
    public TimeSpan? LeftAt
    {
        get => aside?.LeftAt;
        set
        {
            if (aside is not null || value is not null)
            {
                (aside ??= new Aside()).LeftAt = value;
            }
        }
    }

    /// <summary>Whether <see cref="LeftAt"/> must be kept until the store is read: only then it is known whether the offline rule applies.</summary>
    public bool IsAwaitingStore
    {
        get => aside is { IsAwaitingStore: true };
        set
        {
            if (aside is not null || value)
            {
                (aside ??= new Aside()).IsAwaitingStore = value;
            }
        }
    }

    /// <summary>When the router will look at it again, at the earliest; null if it will not.</summary>
    public TimeSpan? WokenAt
    {
        get => aside?.WokenAt;
        set
        {
            if (aside is not null || value is not null)
            {
                (aside ??= new Aside()).WokenAt = value;
            }
        }
    }

    /// <summary>Whether nothing is left that needs it.</summary>
    public bool IsIdle => Version.IsNone && Watches.Count == 0 && Leases == 0 && !IsAwaitingStore;

    private static uint StepOf(TimeSpan at) => (uint)(at.Ticks >> StepBits);

    private bool Has(Flags flag) => (bytes.Flags & flag) != 0;

    private void Set(Flags flag, bool isSo) => bytes.Flags = isSo ? bytes.Flags | flag : bytes.Flags & ~flag;

    /// <summary>All that is smaller than a word, in one place: between words each would be padded.</summary>
    private struct Bytes
    {
        public uint SaidAt;
        public ClientTimestamp Timestamp;
        public Status Status;
        public SourceKind Kind;
        public Flags Flags;
    }

    [Flags]
    private enum Flags : byte
    {
        IsRead = 1,
        IsAsked = 2,
        IsRemoved = 4,
        IsHeld = 8,
        HasSpoken = 16,
        IsRestored = 32,
    }

    /// <summary>What a subscriber has no use for who is connected all the time, under a router that lives all the time.</summary>
    private sealed class Aside
    {
        public StatusVersion TakenFrom;
        public TimeSpan? OfflineAt;
        public TimeSpan? LeftAt;
        public TimeSpan? WokenAt;
        public bool IsAwaitingStore;
    }
}
