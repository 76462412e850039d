using StatusDaemon.Gateway;
using StatusDaemon.Names;
using StatusDaemon.Protocol;
using StatusDaemon.Routing;

namespace StatusDaemon.Simulation;

/// <summary>One run of a gateway: the real fan-out and links.</summary>
internal sealed class SimGateway(GatewayId id, UidTable uids)
{
    public GatewayId Id { get; } = id;

    /// <summary>Of its messages: every other gateway is of the release before.</summary>
    public byte Version { get; } = id.Value % 2 == 0 ? WireVersion.Oldest : WireVersion.Newest;

    public FanOut FanOut { get; } = new(id, uids, shards: 1, new Limits());

    /// <summary>Who was connected when its last batch was made.</summary>
    public (long Number, Uid[] Connected) LastBatch { get; set; }

    public bool IsDead { get; set; }
}
