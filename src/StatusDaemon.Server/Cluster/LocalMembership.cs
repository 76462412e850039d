using Microsoft.Extensions.DependencyInjection;
using Orleans.Messaging;

namespace StatusDaemon.Cluster;

/// <summary>One daemon, on this machine; modules that run apart find it through a file under <c>STATE.path</c>.</summary>
/// <param name="folder">The cluster's folder.</param>
internal sealed class LocalMembership(string folder, ClusterOptions options) : IMembership
{
    /// <inheritdoc/>
    public string Place => folder;

    /// <inheritdoc/>
    public void Join(ISiloBuilder silo) => silo.UseDevelopmentClustering(primarySiloEndpoint: null);

    /// <inheritdoc/>
    public void Find(IClientBuilder client) => client.Services.AddSingleton<IGatewayListProvider>(new LocalDaemons(folder, options));

    /// <inheritdoc/>
    public Task EnterAsync(CancellationToken stop) => Task.CompletedTask;

    /// <inheritdoc/>
    /// <remarks>The daemon says how many shards it has each time that it is looked for.</remarks>
    public Task CheckAsync(CancellationToken stop) => Task.CompletedTask;
}
