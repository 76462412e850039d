using Orleans.Placement;

namespace StatusDaemon.Cluster;

/// <summary>Marks the grain that is a router shard: its integer key is the shard's number, from 0.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class ShardPlacementAttribute() : PlacementAttribute(new ShardPlacement());
