using System.Diagnostics.CodeAnalysis;
using StatusDaemon.Names;

namespace StatusDaemon.Routing;

/// <summary>The connections that one router knows, by gateway and by subscriber.</summary>
internal sealed class SessionTable(UidTable uids)
{
    private readonly SlotArena<Session> slots = new();
    private readonly Dictionary<ConnectionId, Session> byId = [];
    private readonly Dictionary<Uid, List<Session>> bySubscriber = new(Uid.Comparer);
    private readonly Dictionary<GatewayId, Gateway> gateways = [];

    /// <summary>Connections known.</summary>
    public int Count => byId.Count;

    public Session this[int slot] => slots[slot];

    public bool Knows(GatewayId gateway) => gateways.ContainsKey(gateway);

    /// <summary>When a gateway was last heard, by the router's <see cref="AwakeClock"/>; it must be known.</summary>
    public TimeSpan LastHeard(GatewayId gateway) => gateways[gateway].LastHeard;

    /// <summary>Notes that a gateway was heard, for the first time or again.</summary>
    public void Hear(GatewayId gateway, TimeSpan now)
    {
        if (!gateways.TryGetValue(gateway, out var known))
        {
            gateways.Add(gateway, known = new Gateway());
        }

        known.LastHeard = now;
    }

    /// <summary>Gateways that were last heard before a moment.</summary>
    public IReadOnlyList<GatewayId> SilentSince(TimeSpan moment)
    {
        List<GatewayId>? silent = null;
        foreach (var (id, gateway) in gateways)
        {
            if (gateway.LastHeard < moment)
            {
                (silent ??= []).Add(id);
            }
        }

        return silent ?? (IReadOnlyList<GatewayId>)[];
    }

    public bool TryGet(ConnectionId id, [NotNullWhen(true)] out Session? session) => byId.TryGetValue(id, out session);

    /// <summary>The session of a connection of a known gateway, made if it is new.</summary>
    public Session GetOrAdd(ConnectionId id, Uid subscriber)
    {
        if (byId.TryGetValue(id, out var session))
        {
            return session;
        }

        session = new Session(slots.NextSlot, id, uids.Hold(subscriber));
        slots.Add(session);
        byId.Add(id, session);
        gateways[id.Gateway].Sessions.Add(session);
        if (!bySubscriber.TryGetValue(session.Subscriber, out var same))
        {
            bySubscriber.Add(session.Subscriber, same = new List<Session>(1));
        }

        same.Add(session);
        return session;
    }

    /// <summary>Sessions of one subscriber, none if it has none.</summary>
    public IReadOnlyList<Session> Of(Uid subscriber) => bySubscriber.TryGetValue(subscriber, out var sessions) ? sessions : [];

    /// <summary>A copy of the sessions of a gateway, which the caller may remove one by one.</summary>
    public Session[] Of(GatewayId gateway) => gateways.TryGetValue(gateway, out var known) ? [.. known.Sessions] : [];

    /// <summary>Forgets a session that has neither lease nor watch.</summary>
    public void Remove(Session session)
    {
        slots.Remove(session);
        byId.Remove(session.Id);
        gateways[session.Id.Gateway].Sessions.Remove(session);
        var same = bySubscriber[session.Subscriber];
        same.Remove(session);
        if (same.Count == 0)
        {
            bySubscriber.Remove(session.Subscriber);
        }

        uids.Release(session.Subscriber);
    }

    /// <summary>Gives every held UID back.</summary>
    public void Close()
    {
        foreach (var session in byId.Values)
        {
            uids.Release(session.Subscriber);
        }
    }

    /// <summary>Forgets a gateway whose sessions are gone.</summary>
    public void Remove(GatewayId gateway) => gateways.Remove(gateway);

    private sealed class Gateway
    {
        public TimeSpan LastHeard { get; set; }

        public HashSet<Session> Sessions { get; } = [];
    }
}
