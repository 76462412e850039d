using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using OrleansClusterOptions = Orleans.Configuration.ClusterOptions;

namespace StatusDaemon.Cluster;

/// <summary>Puts a silo, or a client of silos elsewhere, into a host.</summary>
/// <remarks>Either way <see cref="IClusterClient"/> is what the rest of the process calls shards with. The numbers were measured: docs/decisions/0004-orleans-as-the-engine.md.</remarks>
internal static class ClusterHosting
{
    /// <summary>How long a call waits for its answer where the caller has no limit of its own. Whoever calls again has <see cref="Patience"/>, which bounds a failover.</summary>
    public static readonly TimeSpan ResponseLimit = TimeSpan.FromSeconds(2);

    /// <summary>How long a member that calls again waits for an answer before it does: Orleans fails no call in flight to a process that has died, nor one that was to go through it.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(600);

    /// <summary>How long the shards of a daemon that stops have to go to others.</summary>
    public static readonly TimeSpan HandOverLimit = TimeSpan.FromSeconds(2.5);

    /// <summary>How long what is left then may take to stop. A silo waits for the calls that its shards are in, without a limit of its own.</summary>
    public static readonly TimeSpan SiloStopLimit = TimeSpan.FromSeconds(1.5);

    /// <summary>How long the whole host may take to stop. One with clients drains them while it hands over, which may take longer.</summary>
    public static readonly TimeSpan StopLimit = HandOverLimit + SiloStopLimit;

    /// <summary>How often a member says where all look that it is alive, and looks who else is: three times missed, it is gone for those who come.</summary>
    private static readonly TimeSpan AliveEvery = TimeSpan.FromSeconds(2);

    /// <summary>How long a connection to another member may take to come about.</summary>
    private static readonly TimeSpan OpenLimit = TimeSpan.FromSeconds(1);

    /// <summary>How long what is for a gateway waits at a daemon that has lost its connection, before it goes by way of another; up to twice as long, since Orleans looks that often.</summary>
    private static readonly TimeSpan GatewayDropLimit = TimeSpan.FromMilliseconds(250);

    /// <summary>How long a daemon that stops goes on after it has told gateways to go by way of another: what they have under way is answered.</summary>
    private static readonly TimeSpan FarewellLimit = TimeSpan.FromMilliseconds(200);

    /// <summary>How often a gateway calls an idle shard that may begin elsewhere.</summary>
    public static readonly TimeSpan Heartbeat = TimeSpan.FromMilliseconds(250);

    /// <summary>How often a client asks where the daemons are.</summary>
    public static readonly TimeSpan DaemonRefresh = TimeSpan.FromSeconds(1);

    /// <summary>How long a member remembers where a shard is, though it has not called it: longer than Redis, who could say it, may be away.</summary>
    private static readonly TimeSpan KnowGrainsFor = TimeSpan.FromDays(30);

    /// <summary>Shards and system grains of which a member remembers where they are. The default of a million takes 18 MB at once.</summary>
    private const int CachedGrains = 10_000;

    /// <summary>A silo in this process. Shards come to it by themselves; <see cref="MemberEndpoints"/> says where it listens.</summary>
    /// <param name="join">How it meets the other members.</param>
    public static void AddSilo(this IHostApplicationBuilder builder, SiloSetup setup, Action<ISiloBuilder> join, MemberCertificates certificates)
    {
        builder.Services.AddSingleton(setup);
        builder.Services.AddSingleton<LocalShards>();
        builder.Services.AddSingleton<ProcessEnd>();
        builder.Services.AddSingleton(_ => MemberEndpoints.Reserve(setup));
        builder.Services.Configure<HostOptions>(static options => options.ShutdownTimeout = StopLimit);
        AddMemberTls(builder, certificates);
        builder.UseOrleans(silo =>
        {
            join(silo);
            silo.Services.AddSingleton<IFatalErrorHandler, LostMembership>(); // the last one counts
            MemberSockets.Replace(silo.Services, typeof(IConnectionFactory), typeof(IConnectionListenerFactory));
            silo.Configure<ConnectionOptions>(static options => options.OpenConnectionTimeout = OpenLimit);
            silo.AddPlacementDirector<ShardPlacement, ShardPlacementDirector>();
            silo.Services.AddOptions<EndpointOptions>().Configure<MemberEndpoints>((options, endpoints) =>
            {
                options.AdvertisedIPAddress = setup.Advertised ?? endpoints.Silo.Address;
                options.SiloPort = endpoints.Silo.Port;
                options.SiloListeningEndpoint = endpoints.Silo;
                options.GatewayPort = endpoints.Gateway?.Port ?? 0;
                options.GatewayListeningEndpoint = endpoints.Gateway;
            });
            silo.Services.AddOptions<SiloConnectionOptions>().Configure<MemberTls>(static (options, tls) =>
            {
                options.ConfigureSiloInboundConnection(connection => connection.Use(tls.Accept));
                options.ConfigureSiloOutboundConnection(connection => connection.Use(tls.Dial));
                options.ConfigureGatewayInboundConnection(connection => connection.Use(tls.Accept));
            });
            silo.Configure<OrleansClusterOptions>(options => options.ClusterId = options.ServiceId = setup.ClusterId);
            silo.Configure<SiloMessagingOptions>(static options =>
            {
                options.ResponseTimeout = ResponseLimit;
                options.ClientDropTimeout = GatewayDropLimit;
                options.ClientGatewayShutdownNotificationTimeout = FarewellLimit;
            });
            silo.Configure<ClusterMembershipOptions>(static options =>
            {
                // A dead silo is out within about a second; the defaults take half a minute.
                options.ProbeTimeout = TimeSpan.FromMilliseconds(500);
                options.NumMissedProbesLimit = 2;

                // Who comes passes over members that have been gone for so long, with nobody there who could have noticed it.
                options.IAmAliveTablePublishTimeout = AliveEvery;
                options.TableRefreshTimeout = AliveEvery;
            });
            silo.Configure<GrainCollectionOptions>(static options => options.CollectionAge = TimeSpan.FromDays(365)); // an idle shard still owns its watches
            silo.Configure<GrainDirectoryOptions>(static options => (options.CacheSize, options.MaximumCacheTTL) = (CachedGrains, KnowGrainsFor));
            silo.Configure<DeploymentLoadPublisherOptions>(static options => options.DeploymentLoadPublisherRefreshTime = TimeSpan.Zero); // our placement asks for no load
        });
    }

    /// <summary>A client of silos in other processes.</summary>
    /// <param name="find">How it finds them.</param>
    public static void AddClusterClient(this IHostApplicationBuilder builder, string clusterId, Action<IClientBuilder> find, MemberCertificates certificates)
    {
        AddMemberTls(builder, certificates);
        builder.UseOrleansClient(client =>
        {
            find(client);
            MemberSockets.Replace(client.Services, typeof(IConnectionFactory));
            client.Services.AddOptions<ClientConnectionOptions>().Configure<MemberTls>(static (options, tls) =>
                options.ConfigureConnection(connection => connection.Use(tls.Dial)));
            client.Configure<ConnectionOptions>(static options => options.OpenConnectionTimeout = OpenLimit);
            client.Configure<OrleansClusterOptions>(options => options.ClusterId = options.ServiceId = clusterId);
            client.Configure<ClientMessagingOptions>(static options => options.ResponseTimeout = ResponseLimit);
            client.Configure<GatewayOptions>(static options => options.GatewayListRefreshPeriod = DaemonRefresh);
        });
    }

    private static void AddMemberTls(IHostApplicationBuilder builder, MemberCertificates certificates)
    {
        builder.Services.AddSingleton(certificates);
        builder.Services.AddSingleton<MemberTls>();
    }
}
