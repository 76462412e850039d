using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StatusDaemon.Auth;
using StatusDaemon.Cluster;
using StatusDaemon.Daemon;
using StatusDaemon.Directories;
using StatusDaemon.Gateway;
using StatusDaemon.Names;
using StatusDaemon.Redis;
using StatusDaemon.Routing;
using StatusDaemon.Sandbox;
using StatusDaemon.Storage;
using StatusDaemon.Telemetry;
using StatusDaemon.Transport;

namespace StatusDaemon;

/// <summary>All modules in one process: what <c>statusd up</c> runs.</summary>
public sealed class StatusdServer : IAsyncDisposable
{
    /// <summary>What a stop takes when the clients are gone, at most: the last saves, and the silo.</summary>
    private static readonly TimeSpan AfterDrain = TimeSpan.FromSeconds(1);

    /// <summary>Threads that own sockets: half of the machine, since routing and logins want the rest.</summary>
    private static readonly int Loops = Math.Max(1, Environment.ProcessorCount / 2);

    private readonly WebApplication app;
    private readonly RedisDirectory? directory;
    private readonly IStatusStore store;
    private readonly SandboxRealm? sandbox;
    private readonly StatusdSettings settings;

    private StatusdServer(StatusdSettings settings, WebApplication app, RedisDirectory? directory, IStatusStore store, SandboxRealm? sandbox)
    {
        this.settings = settings;
        this.app = app;
        this.directory = directory;
        this.store = store;
        this.sandbox = sandbox;
    }

    /// <summary>What runs here, for tests that disturb it from within.</summary>
    internal IServiceProvider Services => app.Services;

    /// <summary>Reads settings and directory, takes the store, and gets ready to listen.</summary>
    /// <param name="settingsPath">The settings file.</param>
    /// <exception cref="StartException">Something is wrong with them or with the machine.</exception>
    public static async Task<StatusdServer> CreateAsync(string settingsPath, CancellationToken stop)
    {
        if (!StatusdSettings.TryLoad(settingsPath, Environment.GetEnvironmentVariables(), out var settings, out var problems))
        {
            throw new StartException(string.Join('\n', problems));
        }

        RefuseWhatIsNotThere(settings);
        CheckOpenFiles();
        CheckAddress(settings.Service);
        DirectoryFile? file = null;
        if (settings.Privileges.Source == PrivilegesSource.File && !DirectoryFile.TryRead(settings.Privileges.File, settings.Policy, revision: 1, out file, out problems))
        {
            throw new StartException(string.Join('\n', problems));
        }

        // The host's own files are read once: it would watch the working directory and all below, where store and replay cache write all the time.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ApplicationName = "statusd", Args = ["--hostBuilder:reloadConfigOnChange=false"] });
        builder.Logging.AddStatusdLog(settings.Log);
        using var early = LoggerFactory.Create(logging => logging.AddStatusdLog(settings.Log));
        RedisDirectory? directory = null;
        IStatusStore? store = null;
        var uids = new UidTable();
        SandboxRealm? sandbox = null;
        try
        {
            directory = file is null ? await OpenDirectoryAsync(settings, early, stop) : null;
            store = await OpenStoreAsync(settings, uids, early, stop);
            var auth = settings.Auth;
            if (auth is { Mode: AuthMode.Kerberos, Keytab: null })
            {
                sandbox = await SandboxRealm.StartAsync(settings.State.Path, auth, file?.Snapshot ?? directory!.Current, early.CreateLogger<SandboxRealm>(), stop);
                sandbox.Description.UseHere();
                auth = sandbox.Apply(auth);
            }

            AddLogin(builder, settings, auth);
            AddDirectory(builder, settings, file, directory);
            AddDaemon(builder, settings, store, uids);
            AddGateway(builder, settings, auth);
            if (sandbox is not null)
            {
                builder.Services.AddSingleton(sandbox);
                builder.Services.AddHostedService<SandboxFollower>();
            }

            var app = builder.Build();
            app.MapEndpoints();
            var meter = app.Services.GetRequiredService<IMeterFactory>().OfProgram();
            (store as RedisStatusStore)?.Measure(meter);
            directory?.Measure(meter);
            return new StatusdServer(settings, app, directory, store, sandbox);
        }
        catch (Exception e)
        {
            await DisposeAsync(directory, store, sandbox);
            throw e is StoreException or RedisAwayException or SandboxException or InvalidDataException or CryptographicException or IOException ? new StartException(e.Message, e) : e;
        }
    }

    /// <summary>Starts to listen, and says what runs and what to try.</summary>
    /// <exception cref="StartException">The address can't be had.</exception>
    /// <exception cref="OperationCanceledException">It was stopped before it was up, or a part of it failed; what had started has ended.</exception>
    public async Task<StartReport> StartAsync(CancellationToken stop)
    {
        try
        {
            await app.StartAsync(stop);
        }
        catch (OperationCanceledException)
        {
            await app.StopAsync(CancellationToken.None); // what has started already
            throw;
        }
        catch (IOException e)
        {
            throw new StartException($"{e.Message} Stop what listens there, or set SERVICE.port.", e);
        }

        var login = app.Services.GetRequiredService<LoginReport>();
        return new StartReport
        {
            Address = AddressForClients(login),
            StatePath = settings.State.Path,
            SandboxRealms = sandbox is null ? [] : sandbox.Description.Realms,
            Login = login,
            Subscribers =
            [
                .. app.Services.GetRequiredService<ISubscriberDirectory>().Current.Subscribers
                    .Where(subscriber => subscriber.DNames.Count > 0)
                    .Select(subscriber => (Uid: subscriber.Uid.ToString(), DName: subscriber.DNames[0].ToString()))
                    .OrderBy(subscriber => subscriber.DName, StringComparer.Ordinal)
                    .Take(2),
            ],
        };
    }

    /// <summary>Waits until a signal ends the server, drains, and stops it.</summary>
    /// <returns>False if it ended because a part of it failed; the log says which.</returns>
    public async Task<bool> WaitAsync(CancellationToken stop)
    {
        await app.WaitForShutdownAsync(stop);
        return !app.Services.GetServices<IHostedService>().OfType<BackgroundService>().Any(service => service.ExecuteTask is { IsFaulted: true });
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        await DisposeAsync(directory, store, sandbox);
    }

    private static async Task DisposeAsync(RedisDirectory? directory, IStatusStore? store, SandboxRealm? sandbox)
    {
        if (directory is not null)
        {
            await directory.DisposeAsync();
        }

        if (store is not null)
        {
            await store.DisposeAsync();
        }

        if (sandbox is not null)
        {
            await sandbox.DisposeAsync();
        }
    }

    /// <summary>Where it listens, with the port that a setting of 0 has come to.</summary>
    private static Uri AddressOf(IServiceProvider provider) =>
        new(provider.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>Where clients on this machine reach it: by the address, unless a certificate is for a name only.</summary>
    private Uri AddressForClients(LoginReport login)
    {
        var listening = AddressOf(app.Services);
        var reached = settings.Service.Host switch
        {
            var host when host.Equals(IPAddress.Any) => IPAddress.Loopback,
            var host when host.Equals(IPAddress.IPv6Any) => IPAddress.IPv6Loopback,
            var host => host,
        };
        var name = reached.ToString();
        if (app.Services.GetService<X509Certificate2>() is { } certificate)
        {
            string[] names =
            [
                name,
                .. (login as LoginReport.Kerberos)?.Services.Select(service => service[(service.IndexOf('@', StringComparison.Ordinal) + 1)..]) ?? [],
                certificate.GetNameInfo(X509NameType.DnsName, forIssuer: false),
            ];
            name = names.FirstOrDefault(candidate => Uri.CheckHostName(candidate) != UriHostNameType.Unknown && certificate.MatchesHostname(candidate)) ?? name;
        }

        return new UriBuilder(listening.Scheme, name, listening.Port).Uri;
    }

    private static void RefuseWhatIsNotThere(StatusdSettings settings)
    {
        (bool Wanted, string Setting, string Instead)[] later =
        [
            (settings.Cluster.Kind == ClusterKind.Redis, "CLUSTER.kind: redis", "use local"),
            (settings.Sync.Peers.Count > 0, "SYNC.peers", "take them out"),
            (settings.Admin.Url is not null, "ADMIN.url", "take it out"),
        ];
        foreach (var (_, setting, instead) in later.Where(entry => entry.Wanted))
        {
            throw new StartException($"{setting} is not there yet in this version: {instead}.");
        }

        if (settings.Auth is { Mode: AuthMode.Kerberos, Keytab: null } && !IPAddress.IsLoopback(settings.Service.Host))
        {
            throw new StartException(
                $"AUTH.keytab is not set. Without one a sandbox realm is started, and only on loopback, not on {settings.Service.Host}: name the keytab with the keys of HTTP/<this host>, or set SERVICE.host to 127.0.0.1.");
        }
    }

    private static Task<RedisDirectory> OpenDirectoryAsync(StatusdSettings settings, ILoggerFactory log, CancellationToken stop) => RedisDirectory.OpenAsync(
        settings.PrivilegeRedis, settings.Policy, settings.RealmOfKeys, TimeProvider.System, log.CreateLogger<RedisDirectory>(), stop);

    private static async Task<IStatusStore> OpenStoreAsync(StatusdSettings settings, UidTable uids, ILoggerFactory log, CancellationToken stop) => settings.Storage.Kind switch
    {
        StorageKind.Redis => await RedisStatusStore.OpenAsync(settings.Redis, settings.Cluster.Shards, uids, TimeProvider.System, log.CreateLogger<RedisStatusStore>(), stop),
        _ => SqliteStatusStore.Open(Path.Combine(settings.State.Path, SqliteStatusStore.FileName), log.CreateLogger<SqliteStatusStore>()),
    };

    /// <summary>Asks for the address before anything starts: Kestrel asks last, when the silo is up and has much to say about being stopped.</summary>
    private static void CheckOpenFiles()
    {
        if (OpenFiles.Limit < OpenFiles.Least)
        {
            throw new StartException($"This process may have {OpenFiles.Limit} files open, and needs {OpenFiles.Least} or more: raise `ulimit -n`, or LimitNOFILE in systemd's unit.");
        }
    }

    private static void CheckAddress(ServiceOptions service)
    {
        var address = new IPEndPoint(service.Host, service.Port);
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(address);
        }
        catch (SocketException e)
        {
            throw new StartException($"{address}: {e.Message}. Stop what listens there, or set SERVICE.host and SERVICE.port to an address of this machine that is free.", e);
        }
    }

    private static void AddLogin(WebApplicationBuilder builder, StatusdSettings settings, AuthOptions auth)
    {
        var services = builder.Services;
        services.AddSingleton(auth);
        services.AddSingleton<LoginMetrics>();
        services.AddSingleton<Admission>();
        if (auth.Mode == AuthMode.TrustedHeader)
        {
            services.AddSingleton<ILogin, TrustedHeaderLogin>();
            services.AddSingleton(new OriginPolicy(settings.Service.Origins));
            services.AddSingleton<LoginReport>(new LoginReport.TrustedHeader(TrustedHeaderLogin.Header));
            return;
        }

        var probe = AuthProbe.Run(auth, settings.State.Path, Dns.GetHostName(), TimeProvider.System);
        if (probe is not { Setup: { } setup, Report: { } report })
        {
            throw new StartException(string.Join('\n', probe.Problems));
        }

        services.AddSingleton(_ => new GssAcceptor(setup));
        services.AddSingleton<ILogin, NegotiateLogin>();
        services.AddSingleton(provider => settings.Service.Origins.Count > 0
            ? new OriginPolicy(settings.Service.Origins)
            : OriginPolicy.OfServer(setup.Services, settings.Service.Tls is not null, () => AddressOf(provider).Port));
        services.AddSingleton<LoginReport>(report);
    }

    private static void AddDirectory(WebApplicationBuilder builder, StatusdSettings settings, DirectoryFile? file, RedisDirectory? directory)
    {
        var services = builder.Services;
        if (directory is not null)
        {
            services.AddSingleton<ISubscriberDirectory>(directory);
            services.AddSingleton<IHostedService>(directory); // an instance, as the store is
        }
        else
        {
            services.AddSingleton(provider => ActivatorUtilities.CreateInstance<FileDirectory>(provider, settings.Privileges.File, file!));
            services.AddSingleton<ISubscriberDirectory>(provider => provider.GetRequiredService<FileDirectory>());
            services.AddHostedService(provider => provider.GetRequiredService<FileDirectory>());
        }
    }

    private static void AddDaemon(WebApplicationBuilder builder, StatusdSettings settings, IStatusStore store, UidTable uids)
    {
        var services = builder.Services;
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<SteadyClock>();
        services.AddSingleton(uids);
        services.AddSingleton(store); // an instance, which the container does not dispose
        services.AddMetrics();
        services.AddSingleton<DirectoryChanges>();
        services.AddSingleton<LocalShards>();
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
            settings.Storage.Flush,
            provider.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping));
        var certificates = MemberCertificates.For(settings.Cluster, Path.Combine(settings.State.Path, "cluster"), TimeProvider.System.GetUtcNow());
        builder.AddSilo(SiloSetup.From(settings.Cluster), certificates);
        services.AddHostedService<DirectoryFollower>();
        services.AddHostedService<ExternalFollower>();
    }

    private static void AddGateway(WebApplicationBuilder builder, StatusdSettings settings, AuthOptions auth)
    {
        var services = builder.Services;
        services.AddSingleton(settings.Service);
        services.AddSingleton(settings.Service.Limits);
        services.AddSingleton(new ConnectionCounts(settings.Service.Limits.ConnectionsPerSubscriber));
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<GatewayLoops>(provider, Loops, settings.Cluster.Shards, settings.Service.Limits, auth));
        services.AddHostedService(provider => provider.GetRequiredService<GatewayLoops>());
        services.AddSingleton<GatewayDrain>();
        services.AddHostedService(provider => provider.GetRequiredService<GatewayDrain>());
        services.Configure<HostOptions>(host =>
            host.ShutdownTimeout = TimeSpan.FromTicks(Math.Max(host.ShutdownTimeout.Ticks, (settings.Service.Drain + AfterDrain).Ticks)));
        services.AddHostedService<HeapReturn>();
        services.AddSingleton<PubSub>();
        services.AddSingleton<DirectoryEndpoint>();
        services.AddSingleton<HealthEndpoints>();
        X509Certificate2? certificate = settings.Service.Tls is { } tls ? HttpHosting.Load(tls) : null;
        if (certificate is not null)
        {
            services.AddSingleton(certificate);
        }

        builder.AddHttp(settings.Service, certificate);
    }
}
