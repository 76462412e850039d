using System.Diagnostics.CodeAnalysis;

namespace StatusDaemon.Routing;

/// <summary>The gateways that have declared themselves to one router, and were not given up since.</summary>
internal sealed class GatewayTable
{
    private readonly SlotArena<KnownGateway> slots = new();
    private readonly Dictionary<GatewayId, KnownGateway> byId = [];

    /// <summary>The gateway of a slot that is known to have one.</summary>
    public GatewayId IdOf(int slot) => slots[slot].Id;

    /// <summary>The slot of a gateway that is known.</summary>
    public int SlotOf(GatewayId id) => byId[id].Slot;

    public bool TryGet(GatewayId id, [NotNullWhen(true)] out KnownGateway? gateway) => byId.TryGetValue(id, out gateway);

    /// <summary>Begins to know a gateway that is not known.</summary>
    public KnownGateway Add(GatewayId id)
    {
        var gateway = new KnownGateway(slots.NextSlot, id);
        slots.Add(gateway);
        byId.Add(id, gateway);
        return gateway;
    }

    /// <summary>Gateways that were last heard before a moment.</summary>
    public IReadOnlyList<KnownGateway> SilentSince(TimeSpan moment)
    {
        List<KnownGateway>? silent = null;
        foreach (var gateway in byId.Values)
        {
            if (gateway.LastHeard < moment)
            {
                (silent ??= []).Add(gateway);
            }
        }

        return silent ?? (IReadOnlyList<KnownGateway>)[];
    }

    /// <summary>Forgets a gateway whose connections are gone.</summary>
    public void Remove(KnownGateway gateway)
    {
        byId.Remove(gateway.Id);
        slots.Remove(gateway);
    }
}
