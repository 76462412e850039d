using StatusDaemon.Names;

namespace StatusDaemon.Routing;

/// <summary>The connections of a shard's own subscribers.</summary>
/// <remarks>Each holds its connection. A status asks here who set it, so the look-up takes no lock.</remarks>
internal sealed class LeaseTable
{
    private readonly ConnectionTable connections;
    private readonly SlotChunks<Lease> slots = new();
    private readonly Stack<int> free = new();
    private readonly SlotChains byConnection;

    public LeaseTable(ConnectionTable connections)
    {
        this.connections = connections;
        byConnection = new SlotChains(slot => HashOf(connections.GatewayOf(slots[slot].Connection), connections.NumberOf(slots[slot].Connection)), slot => ref slots[slot].Link, load: 2);
    }

    /// <summary>Places of the connections that are leases.</summary>
    public IEnumerable<int> Connections
    {
        get
        {
            for (var slot = 0; slot < slots.Count; slot++)
            {
                if (!slots[slot].IsFree)
                {
                    yield return slots[slot].Connection;
                }
            }
        }
    }

    public Lease this[int slot] => slots[slot];

    /// <summary>The slot of a connection's lease; negative if it has none.</summary>
    public int Find(ConnectionId id)
    {
        var slot = byConnection.First(HashOf(id.Gateway.Value, id.Number));
        while (slot >= 0 && (connections.NumberOf(slots[slot].Connection) != id.Number || connections.GatewayOf(slots[slot].Connection) != id.Gateway.Value))
        {
            slot = byConnection.Next(slot);
        }

        return slot;
    }

    /// <summary>Makes a connection a lease, or another one.</summary>
    /// <param name="connection">Its place, held for this: it is kept or given back.</param>
    /// <returns>Whether it was none.</returns>
    public bool Open(int connection, string actor, string through)
    {
        var slot = Find(connections.IdOf(connection));
        var isNew = slot < 0;
        if (isNew)
        {
            slot = free.TryPop(out var left) ? left : slots.Add();
            slots[slot] = new Lease(connection, actor, through);
            byConnection.Add(slot);
        }
        else
        {
            slots[slot] = slots[slot] with { Actor = actor, Through = through };
            connections.Release(connection);
        }

        return isNew;
    }

    /// <summary>Ends a lease, and gives back its connection.</summary>
    public void End(int slot)
    {
        byConnection.Remove(slot);
        connections.Release(slots[slot].Connection);
        slots[slot] = default;
        free.Push(slot);
    }

    /// <summary>Gives every held connection back.</summary>
    public void Close()
    {
        foreach (var connection in Connections)
        {
            connections.Release(connection);
        }
    }

    private static int HashOf(ulong gateway, long number) => (int)gateway + (int)number;
}
