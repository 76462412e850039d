using System.Diagnostics.Metrics;
using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
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
using StatusDaemon.Sandbox;
using StatusDaemon.Storage;
using StatusDaemon.Telemetry;
using StatusDaemon.Transport;

namespace StatusDaemon;

/// <summary>Modules in one process: what <c>statusd up</c>, <c>daemon</c> and <c>ws-server</c> run.</summary>
public sealed class StatusdServer : IAsyncDisposable
{
    private const string ProgramName = "statusd";

    private readonly IHost host;
    private readonly RedisDirectory? directory;
    private readonly IStatusStore? store;
    private readonly SandboxRealm? sandbox;
    private readonly DaemonLock? daemonLock;
    private readonly StatusdSettings settings;

    private StatusdServer(StatusdSettings settings, IHost host, RedisDirectory? directory, IStatusStore? store, SandboxRealm? sandbox, DaemonLock? daemonLock)
    {
        this.settings = settings;
        this.host = host;
        this.directory = directory;
        this.store = store;
        this.sandbox = sandbox;
        this.daemonLock = daemonLock;
    }

    /// <summary>What runs here, for tests that disturb it from within.</summary>
    internal IServiceProvider Services => host.Services;

    /// <summary>Reads settings and directory, takes the store, and gets ready to listen.</summary>
    /// <param name="settingsPath">The settings file.</param>
    /// <exception cref="StartException">Something is wrong with them or with the machine.</exception>
    public static async Task<StatusdServer> CreateAsync(string settingsPath, ServerModules modules, CancellationToken stop)
    {
        if (!StatusdSettings.TryLoad(settingsPath, Environment.GetEnvironmentVariables(), out var settings, out var problems))
        {
            throw new StartException(string.Join('\n', problems));
        }

        var isDaemon = modules.HasFlag(ServerModules.Daemon);
        var isGateway = modules.HasFlag(ServerModules.Gateway);
        RefuseWhatIsNotThere(settings);
        CheckOpenFiles();
        if (isGateway)
        {
            GatewayModule.CheckAddress(settings.Service);
        }

        DirectoryFile? file = null;
        if (settings.Privileges.Source == PrivilegesSource.File && !DirectoryFile.TryRead(settings.Privileges.File, settings.Policy, revision: 1, out file, out problems))
        {
            throw new StartException(string.Join('\n', problems));
        }

        using var early = LoggerFactory.Create(logging => logging.AddStatusdLog(settings.Log));
        DaemonLock? daemonLock = null;
        RedisDirectory? directory = null;
        IStatusStore? store = null;
        var uids = new UidTable();
        SandboxRealm? sandbox = null;
        try
        {
            daemonLock = isDaemon ? DaemonLock.Take(settings.ClusterFolder) : null;
            IMembership membership = settings.Cluster.Kind == ClusterKind.Redis
                ? new RedisMembership(settings.Redis, settings.Cluster, TimeProvider.System, early.CreateLogger<RedisMembership>())
                : new LocalMembership(settings.ClusterFolder, settings.Cluster);
            if (isDaemon)
            {
                await membership.EnterAsync(stop);
            }

            directory = file is null ? await OpenDirectoryAsync(settings, early, stop) : null;
            store = isDaemon ? await DaemonModule.OpenStoreAsync(settings, uids, early, stop) : null;
            var auth = settings.Auth;
            if (isGateway && auth is { Mode: AuthMode.Kerberos, Keytab: null })
            {
                sandbox = await SandboxRealm.StartAsync(settings.State.Path, auth, file?.Snapshot ?? directory!.Current, early.CreateLogger<SandboxRealm>(), stop);
                sandbox.Description.UseHere();
                auth = sandbox.Apply(auth);
            }

            var host = Build(settings, modules, uids, store, membership, builder =>
            {
                AddDirectory(builder, settings, file, directory);
                if (sandbox is not null)
                {
                    builder.Services.AddSingleton(sandbox);
                    builder.Services.AddHostedService<SandboxFollower>();
                }
            }, auth);
            var meter = host.Services.GetRequiredService<IMeterFactory>().OfProgram();
            (store as RedisStatusStore)?.Measure(meter);
            directory?.Measure(meter);
            if (isDaemon)
            {
                host.Services.GetRequiredService<MemberEndpoints>(); // taken before anything starts
                host.Services.GetRequiredService<LocalShards>().Measure(meter);
                host.Services.GetRequiredService<Outboxes>().Measure(meter, host.Services.GetRequiredService<SteadyClock>());
            }

            if (isGateway)
            {
                host.Services.GetRequiredService<GatewayLoops>().Measure(meter);
            }

            return new StatusdServer(settings, host, directory, store, sandbox, daemonLock);
        }
        catch (Exception e)
        {
            await DisposeAsync(directory, store, sandbox, daemonLock);
            throw e is StoreException or RedisAwayException or SandboxException or InvalidDataException or CryptographicException or IOException or ShardCountException ? new StartException(e.Message, e) : e;
        }
    }

    /// <summary>Starts to listen, and says what runs and what to try.</summary>
    /// <exception cref="StartException">The address can't be had.</exception>
    /// <exception cref="OperationCanceledException">It was stopped before it was up, or a part of it failed; what had started has ended.</exception>
    public async Task<StartReport> StartAsync(CancellationToken stop)
    {
        try
        {
            await host.StartAsync(stop);
        }
        catch (OperationCanceledException)
        {
            await host.StopAsync(CancellationToken.None); // what has started already
            throw;
        }
        catch (IOException e)
        {
            throw new StartException($"{e.Message} Stop what listens there, or set SERVICE.port.", e);
        }

        return new StartReport
        {
            Daemon = host.Services.GetService<MemberEndpoints>() is { Gateway: { } reached, Silo: var peers }
                ? new DaemonReport(reached, settings.Cluster.Shards, settings.Cluster.Kind == ClusterKind.Redis ? settings.Cluster.Id : null, peers)
                : null,
            Gateway = host.Services.GetService<LoginReport>() is { } login ? Report(login) : null,
        };
    }

    /// <summary>Waits until a signal ends the server, drains, and stops it.</summary>
    /// <returns>False if it ended because a part of it failed; the log says which.</returns>
    public async Task<bool> WaitAsync(CancellationToken stop)
    {
        await host.WaitForShutdownAsync(stop);
        return !host.Services.GetServices<IHostedService>().OfType<BackgroundService>().Any(service => service.ExecuteTask is { IsFaulted: true });
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await ((IAsyncDisposable)host).DisposeAsync();
        await DisposeAsync(directory, store, sandbox, daemonLock);
    }

    private static async Task DisposeAsync(RedisDirectory? directory, IStatusStore? store, SandboxRealm? sandbox, DaemonLock? daemonLock)
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

        daemonLock?.Dispose();
    }

    /// <summary>Puts together what the modules need: a daemon alone serves no HTTP.</summary>
    private static IHost Build(StatusdSettings settings, ServerModules modules, UidTable uids, IStatusStore? store, IMembership membership, Action<IHostApplicationBuilder> addCommon, AuthOptions auth)
    {
        var certificates = MemberCertificates.For(settings.Cluster, settings.ClusterFolder, TimeProvider.System.GetUtcNow());
        if (!modules.HasFlag(ServerModules.Gateway))
        {
            var alone = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ApplicationName = ProgramName });
            AddBase(alone);
            alone.AddDaemon(settings, store!, membership, certificates, isApart: true);
            return alone.Build();
        }

        // The host's own files are read once: it would watch the working directory and all below, where store and replay cache write all the time.
        var web = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ApplicationName = ProgramName, Args = ["--hostBuilder:reloadConfigOnChange=false"] });
        AddBase(web);
        if (store is not null)
        {
            web.AddDaemon(settings, store, membership, certificates, isApart: false);
            web.Services.AddSingleton<IShardAccess>(provider => new ShardsHere(provider.GetRequiredService<IClusterClient>(), settings.Cluster.Kind == ClusterKind.Local));
        }
        else
        {
            web.AddDaemonsElsewhere(membership, settings.Cluster.Id, certificates);
        }

        web.AddGateway(settings, auth);
        var app = web.Build();
        app.MapEndpoints();
        return app;

        void AddBase(IHostApplicationBuilder builder)
        {
            builder.Logging.AddStatusdLog(settings.Log);
            builder.Services.AddSingleton(TimeProvider.System);
            builder.Services.AddSingleton<SteadyClock>();
            builder.Services.AddSingleton(uids);
            builder.Services.AddMetrics();
            addCommon(builder);
        }
    }

    private GatewayReport Report(LoginReport login) => new()
    {
        Address = host.Services.AddressForClients(settings, login),
        StatePath = settings.State.Path,
        SandboxRealms = sandbox is null ? [] : sandbox.Description.Realms,
        Login = login,
        Subscribers =
        [
            .. host.Services.GetRequiredService<ISubscriberDirectory>().Current.Subscribers
                .Where(subscriber => subscriber.DNames.Count > 0)
                .Select(subscriber => (Uid: subscriber.Uid.ToString(), DName: subscriber.DNames[0].ToString()))
                .OrderBy(subscriber => subscriber.DName, StringComparer.Ordinal)
                .Take(2),
        ],
    };

    private static void RefuseWhatIsNotThere(StatusdSettings settings)
    {
        (bool Wanted, string Setting, string Instead)[] later =
        [
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

    private static void AddDirectory(IHostApplicationBuilder builder, StatusdSettings settings, DirectoryFile? file, RedisDirectory? directory)
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
            services.AddHostedService(provider => provider.GetRequiredService<FileDirectory>());
            if (settings.Cluster.Kind == ClusterKind.Redis)
            {
                services.AddSingleton(_ => new SharedDirectoryFiles(settings.Redis.Server, settings.Redis.ClusterKeyOf(settings.Cluster.Id)));
                services.AddSingleton<ClusterDirectory>();
                services.AddSingleton<ISubscriberDirectory>(provider => provider.GetRequiredService<ClusterDirectory>());
                services.AddHostedService(provider => provider.GetRequiredService<ClusterDirectory>());
            }
            else
            {
                services.AddSingleton<ISubscriberDirectory>(provider => provider.GetRequiredService<FileDirectory>());
            }
        }
    }

    private static void CheckOpenFiles()
    {
        if (OpenFiles.Limit < OpenFiles.Least)
        {
            throw new StartException($"This process may have {OpenFiles.Limit} files open, and needs {OpenFiles.Least} or more: raise `ulimit -n`, or LimitNOFILE in systemd's unit.");
        }
    }

}
