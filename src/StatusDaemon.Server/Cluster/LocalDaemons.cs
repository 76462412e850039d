using Orleans.Messaging;

namespace StatusDaemon.Cluster;

/// <summary>Finds the daemon of this machine, for a module that runs apart from it.</summary>
/// <param name="folder">The cluster's folder.</param>
internal sealed class LocalDaemons(string folder, ClusterOptions options) : IGatewayListProvider
{
    /// <inheritdoc/>
    public TimeSpan MaxStaleness => ClusterHosting.DaemonRefresh;

    /// <inheritdoc/>
    public bool IsUpdatable => true;

    /// <inheritdoc/>
    public Task InitializeGatewayListProvider() => Task.CompletedTask;

    /// <inheritdoc/>
    /// <exception cref="ShardCountException">The daemon has another number of shards.</exception>
    public Task<IList<Uri>> GetGateways()
    {
        if (!LocalDaemon.TryRead(folder, out var daemon, out var address))
        {
            return Task.FromResult<IList<Uri>>([]);
        }

        return daemon.Shards == options.Shards
            ? Task.FromResult<IList<Uri>>([address.ToGatewayUri()])
            : throw new ShardCountException($"The daemon at {address} has {daemon.Shards} shards, and CLUSTER.shards is {options.Shards} here: give all modules the same number.");
    }
}
