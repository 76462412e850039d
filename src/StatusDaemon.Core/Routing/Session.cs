using StatusDaemon.Names;

namespace StatusDaemon.Routing;

/// <summary>What one router knows of one connection: whose it is, whether it is a lease here, and what it watches here.</summary>
/// <remarks>
/// Watchers of many publishers have one in most shards, so there are several for each connection: it is 32 bytes in a chunk of many. A mutable struct that is
/// used where it lies, by <c>ref</c>; its slot in the session table names it. The default value is a place that nobody has.
/// </remarks>
internal struct Session(Uid subscriber, int gateway, long number)
{
    /// <summary>In <see cref="FirstWatched"/> and <see cref="Watch.NextWatched"/>: there is none.</summary>
    public const int NoRegister = -1;

    /// <summary>Slot of a register that it watches; the watch there names the next one.</summary>
    public int FirstWatched = NoRegister;

    /// <summary>The session table's.</summary>
    public int LinkByNumber;

    /// <inheritdoc cref="LinkByNumber"/>
    public int LinkBySubscriber;

    private object? owner = subscriber; // or its lease, which names the subscriber

    /// <summary>Slot of its gateway.</summary>
    public int Gateway { get; } = gateway;

    /// <summary>The gateway's number of it.</summary>
    public long Number { get; } = number;

    /// <summary>Whether no session has this place.</summary>
    public readonly bool IsFree => owner is null;

    public readonly Uid Subscriber => owner is Lease lease ? lease.Subscriber : (Uid)owner!;

    /// <summary>What it is as a connection of a subscriber that this shard owns; null where it only watches.</summary>
    public readonly Lease? Lease => owner as Lease;

    /// <summary>Whether nothing is left that needs it.</summary>
    public readonly bool IsIdle => owner is Uid && FirstWatched == NoRegister;

    /// <summary>Makes it a lease, or another one.</summary>
    public void Open(string actor, string through) => owner = new Lease(Subscriber, actor, through);

    /// <summary>Ends its lease.</summary>
    public void EndLease() => owner = Subscriber;
}

/// <summary>Where a subscriber's connection comes from, for "who set it, through what".</summary>
/// <param name="Actor">The subscriber's principal.</param>
/// <param name="Through">Gateway and client address.</param>
internal sealed record Lease(Uid Subscriber, string Actor, string Through);
