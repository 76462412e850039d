using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StatusDaemon.Daemon;
using StatusDaemon.Directories;
using StatusDaemon.Names;
using StatusDaemon.Routing;
using StatusDaemon.Storage;

namespace StatusDaemon.Cluster;

/// <summary>What router shards need of a <see cref="TestSilo"/>.</summary>
internal static class TestShards
{
    public static void AddShards(this IHostApplicationBuilder builder, IStatusStore store, ISubscriberDirectory directory, UidTable uids, StoreOutages outages, CancellationToken stopping)
    {
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<SteadyClock>();
        builder.Services.AddSingleton<Outboxes>();
        builder.Services.AddSingleton<OutboxPump>();
        builder.Services.AddSingleton(provider => new ShardServices(
            new RouterSettings(),
            uids,
            directory,
            new DirectoryChanges(),
            store,
            new StatusScan(store, provider.GetRequiredService<SiloSetup>().Shards, TimeProvider.System),
            provider.GetRequiredService<Outboxes>(),
            provider.GetRequiredService<OutboxPump>(),
            provider.GetRequiredService<LocalShards>(),
            outages,
            provider.GetRequiredService<SteadyClock>(),
            TimeProvider.System,
            Flush: TimeSpan.FromMilliseconds(200),
            stopping));
    }
}
