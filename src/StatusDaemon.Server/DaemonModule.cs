using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StatusDaemon.Cluster;
using StatusDaemon.Daemon;
using StatusDaemon.Directories;
using StatusDaemon.Names;
using StatusDaemon.Routing;
using StatusDaemon.Storage;

namespace StatusDaemon;

/// <summary>The routing daemon: its store, and a silo with shards.</summary>
internal static class DaemonModule
{
    /// <summary>Opens the store.</summary>
    /// <exception cref="StoreException">It can't be used.</exception>
    public static async Task<IStatusStore> OpenStoreAsync(StatusdSettings settings, UidTable uids, ILoggerFactory log, CancellationToken stop) => settings.Storage.Kind switch
    {
        StorageKind.Redis => await RedisStatusStore.OpenAsync(
            settings.Redis, settings.Cluster.Shards, settings.Cluster.Kind == ClusterKind.Redis ? settings.Cluster.Id : "", uids, TimeProvider.System, log.CreateLogger<RedisStatusStore>(), stop),
        _ => SqliteStatusStore.Open(Path.Combine(settings.State.Path, SqliteStatusStore.FileName), log.CreateLogger<SqliteStatusStore>()),
    };

    /// <summary>Puts the daemon into a host.</summary>
    /// <param name="isApart">Whether no gateway is in this process.</param>
    public static void AddDaemon(this IHostApplicationBuilder builder, StatusdSettings settings, IStatusStore store, IMembership membership, MemberCertificates certificates, bool isApart)
    {
        var services = builder.Services;
        services.AddSingleton(store); // an instance, which the container does not dispose
        services.AddSingleton<DirectoryChanges>();
        services.AddSingleton<ShardWaker>();
        services.AddSingleton<StoreOutages>();
        services.AddSingleton<Outboxes>();
        services.AddSingleton<OutboxPump>();
        services.AddSingleton(provider => new ShardServices(
            new RouterSettings { OfflineAfter = settings.Service.OfflineAfter, OfflineStatus = settings.Service.OfflineStatus },
            provider.GetRequiredService<UidTable>(),
            provider.GetRequiredService<ISubscriberDirectory>(),
            provider.GetRequiredService<DirectoryChanges>(),
            store,
            new StatusScan(store, settings.Cluster.Shards, TimeProvider.System),
            provider.GetRequiredService<Outboxes>(),
            provider.GetRequiredService<OutboxPump>(),
            provider.GetRequiredService<LocalShards>(),
            provider.GetRequiredService<StoreOutages>(),
            provider.GetRequiredService<SteadyClock>(),
            TimeProvider.System,
            settings.Storage.Flush,
            provider.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping));
        var isReached = isApart || settings.Cluster.Kind == ClusterKind.Redis;
        services.AddHostedService<StopDeadline>(); // before what may take too long
        builder.AddSilo(SiloSetup.From(settings.Cluster) with { GatewayPort = isReached ? settings.Cluster.GatewayPort : null }, membership.Join, certificates);
        if (settings.Cluster.Kind == ClusterKind.Local && isReached)
        {
            services.AddHostedService(provider => ActivatorUtilities.CreateInstance<LocalDaemonNotice>(provider, settings.ClusterFolder, settings.Cluster));
        }

        services.AddHostedService<DirectoryFollower>();
        services.AddHostedService<ShardBalancer>();
        services.AddHostedService<ExternalFollower>();
    }
}
