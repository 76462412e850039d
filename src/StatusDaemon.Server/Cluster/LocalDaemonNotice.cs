using Microsoft.Extensions.Hosting;

namespace StatusDaemon.Cluster;

/// <summary>Tells modules of this machine where the daemon is, while it takes them in.</summary>
/// <param name="folder">The cluster's folder.</param>
internal sealed class LocalDaemonNotice(string folder, ClusterOptions options, MemberEndpoints endpoints) : IHostedLifecycleService
{
    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        new LocalDaemon(options.Id, options.Shards, endpoints.Gateway!.ToString()).Write(folder);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        LocalDaemon.Delete(folder);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
