using StatusDaemon.Names;
using StatusDaemon.Statuses;

namespace StatusDaemon.Routing;

/// <summary>All that a router keeps of one publisher.</summary>
internal sealed class Register(int slot, Uid uid) : ISlotted
{
    public StatusRecord Record;

    public SlotList<Watch> Watches;

    /// <summary>Sessions of the subscriber itself: its leases.</summary>
    public int Leases;

    /// <summary>Watches that wait for their first answer.</summary>
    public int Waiting;

    /// <summary>The register table's.</summary>
    public int Link;

    private SlotList<ShownCount> shown;
    private Aside? aside;

    public int Slot { get; } = slot;

    public Uid Uid { get; } = uid;

    /// <summary>Whether the record is known: the store was asked, or something newer was accepted.</summary>
    public bool IsRead { get; set; }

    /// <summary>Whether the store was asked for it and has not answered yet.</summary>
    public bool IsAsked { get; set; }

    /// <summary>Whether it was in the directory and is no more: hidden from everyone, also where unknown UIDs are accepted (decision 0011).</summary>
    public bool IsRemoved { get; set; }

    /// <summary>Whether the record came from a gateway and waits to be compared with the store's.</summary>
    public bool IsHeld { get; set; }

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

    /// <summary>Gateways that have at least one watcher who is shown this publisher.</summary>
    public ReadOnlySpan<ShownCount> Shown => shown.Items;

    /// <summary>Whether nothing is left that needs it.</summary>
    public bool IsIdle => Record.IsNone && Watches.Count == 0 && Leases == 0 && !IsAwaitingStore;

    /// <summary>Counts one shown watch more or less for a gateway.</summary>
    public void CountShown(int gateway, int change)
    {
        var at = shown.Find(gateway);
        if (at < 0)
        {
            shown.Insert(~at, new ShownCount(gateway, change));
            return;
        }

        ref var count = ref shown.Items[at];
        count = count with { Watches = count.Watches + change };
        if (count.Watches == 0)
        {
            shown.RemoveAt(at);
        }
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

/// <summary>How many watches of a gateway are shown a publisher.</summary>
/// <param name="Slot">The gateway's.</param>
internal readonly record struct ShownCount(int Slot, int Watches) : ISlotted;
