using StatusDaemon.Names;

namespace StatusDaemon.Routing;

/// <summary>What one router knows of one connection: whose it is, whether it is a lease here, and what it watches here.</summary>
/// <remarks>Watchers of many publishers have one in most shards, so there are several for each connection: it is kept small.</remarks>
internal sealed class Session(int slot, ConnectionId id, Uid subscriber) : ISlotted
{
    /// <summary>Slots of the registers that it watches.</summary>
    public SlotSet Watched;

    /// <summary>Place in the session table; watches name it.</summary>
    public int Slot { get; } = slot;

    public ConnectionId Id { get; } = id;

    public Uid Subscriber { get; } = subscriber;

    /// <summary>What it is as a connection of a subscriber that this shard owns; null where it only watches.</summary>
    public Lease? Lease { get; set; }

    /// <summary>Whether nothing is left that needs it.</summary>
    public bool IsIdle => Lease is null && Watched.Count == 0;
}

/// <summary>Where a subscriber's connection comes from, for "who set it, through what".</summary>
/// <param name="Actor">The subscriber's principal.</param>
/// <param name="Through">Gateway and client address.</param>
internal sealed record Lease(string Actor, string Through);
