using StatusDaemon.Names;

namespace StatusDaemon.Routing;

/// <summary>The connections that one router knows, by number and by subscriber; what it hands out are their slots.</summary>
internal sealed class SessionTable
{
    private readonly UidTable uids;
    private readonly GatewayTable gateways;
    private readonly SlotChunks<Session> slots = new();
    private readonly Stack<int> free = new();
    private readonly SlotChains byNumber;
    private readonly SlotChains bySubscriber; // asked only when the directory changes, so its chains may be longer

    public SessionTable(UidTable uids, GatewayTable gateways)
    {
        this.uids = uids;
        this.gateways = gateways;
        byNumber = new SlotChains(slot => slots[slot].Number.GetHashCode(), slot => ref slots[slot].LinkByNumber, load: 2);
        bySubscriber = new SlotChains(slot => Uid.Comparer.GetHashCode(slots[slot].Subscriber), slot => ref slots[slot].LinkBySubscriber, load: 8);
    }

    /// <summary>Connections known.</summary>
    public int Count => byNumber.Count;

    public ref Session this[int slot] => ref slots[slot];

    public ConnectionId IdOf(int slot) => new(gateways.IdOf(slots[slot].Gateway), slots[slot].Number);

    public bool TryGet(ConnectionId id, out int slot)
    {
        slot = gateways.TryGet(id.Gateway, out var gateway) ? Find(gateway, id.Number) : -1;
        return slot >= 0;
    }

    /// <summary>The session of a connection, made if it is new.</summary>
    public int GetOrAdd(KnownGateway gateway, long number, Uid subscriber)
    {
        var slot = Find(gateway, number);
        if (slot < 0)
        {
            slot = free.TryPop(out var left) ? left : slots.Add();
            slots[slot] = new Session(uids.Hold(subscriber), gateway.Slot, number);
            byNumber.Add(slot);
            bySubscriber.Add(slot);
        }

        return slot;
    }

    /// <summary>Sessions of one subscriber; valid until one is added or removed.</summary>
    public IEnumerable<int> Of(Uid subscriber)
    {
        for (var slot = bySubscriber.First(Uid.Comparer.GetHashCode(subscriber)); slot >= 0; slot = bySubscriber.Next(slot))
        {
            if (slots[slot].Subscriber.Equals(subscriber))
            {
                yield return slot;
            }
        }
    }

    /// <summary>Sessions of one gateway, which the caller may remove one by one as they come.</summary>
    public IEnumerable<int> Of(KnownGateway gateway)
    {
        for (var slot = 0; slot < slots.Count; slot++)
        {
            if (!slots[slot].IsFree && slots[slot].Gateway == gateway.Slot)
            {
                yield return slot;
            }
        }
    }

    /// <summary>Forgets a session that has neither lease nor watch.</summary>
    public void Remove(int slot)
    {
        byNumber.Remove(slot);
        bySubscriber.Remove(slot);
        uids.Release(slots[slot].Subscriber);
        slots[slot] = default;
        free.Push(slot);
    }

    /// <summary>Gives every held UID back.</summary>
    public void Close()
    {
        for (var slot = 0; slot < slots.Count; slot++)
        {
            if (!slots[slot].IsFree)
            {
                uids.Release(slots[slot].Subscriber);
            }
        }
    }

    private int Find(KnownGateway gateway, long number)
    {
        var slot = byNumber.First(number.GetHashCode());
        while (slot >= 0 && (slots[slot].Number != number || slots[slot].Gateway != gateway.Slot))
        {
            slot = byNumber.Next(slot);
        }

        return slot;
    }
}
