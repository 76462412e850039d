namespace StatusDaemon.Routing;

/// <summary>A gateway that a router knows: counts name it by its slot.</summary>
internal sealed class KnownGateway(int slot, GatewayId id) : ISlotted
{
    public int Slot { get; } = slot;

    public GatewayId Id { get; } = id;

    /// <summary>When it was last heard, by the router's <see cref="AwakeClock"/>.</summary>
    public TimeSpan LastHeard { get; set; }
}
