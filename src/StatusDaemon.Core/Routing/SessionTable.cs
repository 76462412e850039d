using System.Diagnostics.CodeAnalysis;
using StatusDaemon.Names;

namespace StatusDaemon.Routing;

/// <summary>The connections that one router knows, by gateway and by subscriber.</summary>
internal sealed class SessionTable
{
    private readonly UidTable uids;
    private readonly SlotArena<Session> slots = new();
    private readonly SlotIndex byId;
    private readonly SlotIndex bySubscriber;
    private readonly Dictionary<GatewayId, TimeSpan> lastHeard = [];

    public SessionTable(UidTable uids)
    {
        this.uids = uids;
        byId = new SlotIndex(slot => slots[slot].Id.GetHashCode());
        bySubscriber = new SlotIndex(slot => Uid.Comparer.GetHashCode(slots[slot].Subscriber));
    }

    /// <summary>Connections known.</summary>
    public int Count => slots.Count;

    public Session this[int slot] => slots[slot];

    public bool Knows(GatewayId gateway) => lastHeard.ContainsKey(gateway);

    /// <summary>When a gateway was last heard, by the router's <see cref="AwakeClock"/>; it must be known.</summary>
    public TimeSpan LastHeard(GatewayId gateway) => lastHeard[gateway];

    /// <summary>Notes that a gateway was heard, for the first time or again.</summary>
    public void Hear(GatewayId gateway, TimeSpan now) => lastHeard[gateway] = now;

    /// <summary>Gateways that were last heard before a moment.</summary>
    public IReadOnlyList<GatewayId> SilentSince(TimeSpan moment)
    {
        List<GatewayId>? silent = null;
        foreach (var (id, heard) in lastHeard)
        {
            if (heard < moment)
            {
                (silent ??= []).Add(id);
            }
        }

        return silent ?? (IReadOnlyList<GatewayId>)[];
    }

    public bool TryGet(ConnectionId id, [NotNullWhen(true)] out Session? session)
    {
        for (var at = byId.First(id.GetHashCode()); byId.TryNext(ref at, out var slot);)
        {
            if (slots[slot].Id == id)
            {
                session = slots[slot];
                return true;
            }
        }

        session = null;
        return false;
    }

    /// <summary>The session of a connection of a known gateway, made if it is new.</summary>
    public Session GetOrAdd(ConnectionId id, Uid subscriber)
    {
        if (TryGet(id, out var session))
        {
            return session;
        }

        session = new Session(slots.NextSlot, id, uids.Hold(subscriber));
        slots.Add(session);
        byId.Add(session.Slot);
        bySubscriber.Add(session.Slot);
        return session;
    }

    /// <summary>Sessions of one subscriber; valid until one is added or removed.</summary>
    public IEnumerable<Session> Of(Uid subscriber)
    {
        for (var at = bySubscriber.First(Uid.Comparer.GetHashCode(subscriber)); bySubscriber.TryNext(ref at, out var slot);)
        {
            if (slots[slot].Subscriber.Equals(subscriber))
            {
                yield return slots[slot];
            }
        }
    }

    /// <summary>A copy of the sessions of a gateway, which the caller may remove one by one.</summary>
    public Session[] Of(GatewayId gateway) => [.. slots.All.Where(session => session.Id.Gateway == gateway)];

    /// <summary>Forgets a session that has neither lease nor watch.</summary>
    public void Remove(Session session)
    {
        byId.Remove(session.Slot);
        bySubscriber.Remove(session.Slot);
        slots.Remove(session);
        uids.Release(session.Subscriber);
    }

    /// <summary>Gives every held UID back.</summary>
    public void Close()
    {
        foreach (var session in slots.All)
        {
            uids.Release(session.Subscriber);
        }
    }

    /// <summary>Forgets a gateway whose sessions are gone.</summary>
    public void Remove(GatewayId gateway) => lastHeard.Remove(gateway);
}
