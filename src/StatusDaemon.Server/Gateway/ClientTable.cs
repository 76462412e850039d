using System.Diagnostics.CodeAnalysis;
using StatusDaemon.Auth;
using StatusDaemon.Names;
using StatusDaemon.Routing;

namespace StatusDaemon.Gateway;

/// <summary>The clients of one gateway loop, by slot: watches name a client by four bytes.</summary>
/// <remarks>A connection's number holds its slot in the low bits, so that what a shard tells is found without a look-up; the rest is counted up, so that no number comes twice.</remarks>
internal sealed class ClientTable(GatewayId gateway, UidTable uids)
{
    private const int SlotBits = 24;

    private readonly SlotArena<Client> clients = new();
    private long connections;

    /// <summary>Clients connected.</summary>
    public int Count => clients.Count;

    /// <summary>All of them, in no order.</summary>
    public IEnumerable<Client> All => clients.All;

    public Client this[int slot] => clients[slot];

    public Client Add(Uid subscriber, ClientOrigin origin, IFrameSink sink, Caller? caller)
    {
        var slot = clients.NextSlot;
        var id = new ConnectionId(gateway, (++connections << SlotBits) | (long)slot);
        var client = new Client(slot, id, uids.Hold(subscriber), origin, sink, caller);
        clients.Add(client);
        return client;
    }

    public bool TryGet(ConnectionId id, [NotNullWhen(true)] out Client? client)
    {
        client = clients.Find((int)(id.Number & ((1 << SlotBits) - 1))) is { } here && here.Id == id ? here : null;
        return client is not null;
    }

    /// <summary>Whether the client was not removed; its slot may be another's since.</summary>
    public bool Has(Client client) => ReferenceEquals(clients.Find(client.Slot), client);

    /// <summary>Forgets a client that is here and watches nothing.</summary>
    public void Remove(Client client)
    {
        clients.Remove(client);
        uids.Release(client.Subscriber);
    }
}
