using StatusDaemon.Routing;

namespace StatusDaemon.Cluster;

/// <summary>The way from a gateway to the shards.</summary>
internal interface IShardAccess
{
    /// <summary>How often an idle shard is called: so long may it take to be noticed that it has begun elsewhere.</summary>
    TimeSpan Heartbeat { get; }

    /// <summary>Finds it, for as long as that takes.</summary>
    Task<IClusterClient> ConnectAsync(CancellationToken stop);
}

/// <summary>The silo of this process.</summary>
/// <param name="IsAlone">Whether it has all shards, so that none begins elsewhere.</param>
internal sealed record ShardsHere(IClusterClient Client, bool IsAlone) : IShardAccess
{
    /// <inheritdoc/>
    public TimeSpan Heartbeat => IsAlone ? RouterSettings.TickInterval : ClusterHosting.Heartbeat;

    /// <inheritdoc/>
    public Task<IClusterClient> ConnectAsync(CancellationToken stop) => Task.FromResult(Client);
}
