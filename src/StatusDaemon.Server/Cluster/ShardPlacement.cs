namespace StatusDaemon.Cluster;

/// <summary>The placement of router shards; <see cref="ShardPlacementDirector"/> carries it out.</summary>
[Serializable, GenerateSerializer, Immutable, SuppressReferenceTracking]
internal sealed class ShardPlacement : PlacementStrategy;
