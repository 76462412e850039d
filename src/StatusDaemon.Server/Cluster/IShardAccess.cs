namespace StatusDaemon.Cluster;

/// <summary>The way from a gateway to the shards.</summary>
internal interface IShardAccess
{
    /// <summary>Finds it, for as long as that takes.</summary>
    Task<IClusterClient> ConnectAsync(CancellationToken stop);
}

/// <summary>The silo of this process.</summary>
internal sealed record ShardsHere(IClusterClient Client) : IShardAccess
{
    /// <inheritdoc/>
    public Task<IClusterClient> ConnectAsync(CancellationToken stop) => Task.FromResult(Client);
}
