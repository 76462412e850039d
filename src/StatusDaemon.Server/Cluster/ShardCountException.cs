namespace StatusDaemon.Cluster;

/// <summary>Members of a cluster do not agree on the number of shards, so that each would look for subscribers elsewhere.</summary>
internal sealed class ShardCountException(string message) : Exception(message);
