using StatusDaemon.Names;

namespace StatusDaemon.Routing;

/// <summary>What one router knows of one connection: whose it is, whether it is a lease here, and what it watches here.</summary>
internal sealed class Session(int slot, ConnectionId id, Uid subscriber) : ISlotted
{
    /// <summary>Slots of the registers that it watches.</summary>
    public SlotSet Watched;

    /// <summary>Place in the session table; watches name it.</summary>
    public int Slot { get; } = slot;

    public ConnectionId Id { get; } = id;

    public Uid Subscriber { get; } = subscriber;

    /// <summary>Whether it was opened as a connection of a subscriber that this shard owns.</summary>
    public bool IsLease { get; set; }

    /// <summary>The subscriber's principal; empty unless it is a lease.</summary>
    public string Actor { get; set; } = "";

    /// <summary>Gateway and client address; empty unless it is a lease.</summary>
    public string Through { get; set; } = "";

    /// <summary>Whether nothing is left that needs it.</summary>
    public bool IsIdle => !IsLease && Watched.Count == 0;
}
