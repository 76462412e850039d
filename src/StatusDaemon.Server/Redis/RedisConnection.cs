using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using StackExchange.Redis;

namespace StatusDaemon.Redis;

/// <summary>The way to one Redis: a server, a primary with replicas, what sentinels point to, or a cluster. Reconnects by itself.</summary>
/// <remarks>
/// Any thread may use <see cref="Commands"/>; one loop calls <see cref="ConnectAsync"/>. While the server is away commands fail at once and are not kept: whoever
/// gives one keeps what it is about. Two connections to each server, since what is listened to must not wait behind answers.
/// </remarks>
internal sealed class RedisConnection(RedisOptions options, string section) : IAsyncDisposable
{
    /// <summary>How long an answer, or a connection, may take.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>How long after a failed attempt the next one is made.</summary>
    public static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(200);

    /// <summary>How old a connection is at least that is given up for a new one.</summary>
    private static readonly TimeSpan Renewal = TimeSpan.FromSeconds(2);

    private readonly Lock gate = new();
    private long madeAt;
    private volatile ConnectionMultiplexer? multiplexer;
    private volatile ConnectionFailedEventArgs? lastFailure;
    private TaskCompletionSource interrupted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long interruptions;

    /// <summary>Where it is, for people.</summary>
    public string Address => options.Address;

    /// <summary>The section of the settings that it is described in.</summary>
    public string Section => section;

    /// <summary>Number of the database.</summary>
    public int Database => options.Database;

    /// <summary>Grows with each connection that was lost or found again, and with each change of who is who: what was listened to may have gaps.</summary>
    public long Interruptions => Interlocked.Read(ref interruptions);

    /// <summary>Ends at the next interruption.</summary>
    public Task Interrupted
    {
        get
        {
            lock (gate)
            {
                return interrupted.Task;
            }
        }
    }

    /// <summary>For commands.</summary>
    /// <exception cref="RedisAwayException">There was no connection yet.</exception>
    public IDatabase Commands => Multiplexer.GetDatabase(options.Database);

    /// <summary>For listening.</summary>
    /// <exception cref="RedisAwayException">There was no connection yet.</exception>
    public ISubscriber Subscriber => Multiplexer.GetSubscriber();

    /// <summary>Whether keys are spread over several servers, so that no command may name keys of two slots.</summary>
    public bool IsCluster => Multiplexer.GetServers().Any(server => server is { IsConnected: true, ServerType: ServerType.Cluster });

    private ConnectionMultiplexer Multiplexer => multiplexer ?? throw Away(null);

    /// <summary>Makes the connection where there is none. One that did not come back by itself for a while is given up for a new one, which asks sentinels and names anew.</summary>
    /// <exception cref="RedisAwayException">It is not there, or refuses us.</exception>
    public async Task ConnectAsync(CancellationToken stop)
    {
        if (multiplexer is { } made)
        {
            try
            {
                Primaries();
                return;
            }
            catch (RedisAwayException)
            {
                if (Stopwatch.GetElapsedTime(madeAt) < Renewal)
                {
                    throw;
                }

                await made.DisposeAsync();
            }
        }

        try
        {
            var next = await ConnectionMultiplexer.ConnectAsync(Configuration()).WaitAsync(stop);
            next.ConnectionFailed += (_, failure) => Note(failure);
            next.ConnectionRestored += (_, _) => Note(null);
            next.ConfigurationChanged += (_, _) => Note(null);
            multiplexer = next;
            madeAt = Stopwatch.GetTimestamp();
            Note(null);
        }
        catch (Exception e) when (e is CryptographicException or UnauthorizedAccessException or FileNotFoundException)
        {
            throw new RedisAwayException($"{section}.tls_authority, tls_certificate or tls_key can't be used. ({e.Message})", isRefusal: true, e);
        }
        catch (Exception e) when (RedisErrors.IsOfRedis(e))
        {
            var away = Away(e);
            throw away.IsRefusal ? away : await DiagnoseAsync(away, stop);
        }

        foreach (var server in Primaries())
        {
            await RequireUserAsync(server);
        }
    }

    /// <summary>Every server that owns keys; all of them are connected.</summary>
    /// <exception cref="RedisAwayException">One is not there.</exception>
    public IReadOnlyList<IServer> Primaries()
    {
        var servers = Multiplexer.GetServers();
        IServer[] primaries = [.. servers.Where(server => server is { IsConnected: true, IsReplica: false, ServerType: ServerType.Standalone or ServerType.Cluster })];
        if (ClusterSeen() is { } cluster)
        {
            var missing = cluster.Nodes.Where(node => !node.IsReplica && node.Slots.Count > 0 && primaries.All(primary => !Equals(primary.EndPoint, node.EndPoint))).ToArray();
            if (missing.Length > 0)
            {
                throw new RedisAwayException($"The cluster's server {missing[0].EndPoint} is away.", isRefusal: false);
            }

            primaries = [.. primaries.Where(primary => cluster[primary.EndPoint] is { Slots.Count: > 0 })];
        }

        return primaries.Length > 0 ? primaries : throw Away(null);
    }

    /// <summary>Asks the servers anew who is who: after an answer that only a replica gives.</summary>
    public Task ConfigureAsync() => Multiplexer.ConfigureAsync();

    /// <summary>What a failed command or connection means, in words.</summary>
    public RedisAwayException Away(Exception? failure) =>
        failure as RedisAwayException ?? RedisErrors.Explain(failure ?? lastFailure?.Exception, lastFailure, this);

    /// <summary>The server of a cluster that owns a key, as the cluster is seen by the one that <see cref="Primaries"/> goes by; null if none does.</summary>
    public EndPoint? OwnerOf(RedisKey key) => ClusterSeen()?.GetBySlot(Multiplexer.HashSlot(key))?.EndPoint;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (multiplexer is { } made)
        {
            await made.DisposeAsync();
        }
    }

    /// <summary>Makes sure that we are who we said: where the default user needs no password, the library goes on as that one after a refusal.</summary>
    private async Task RequireUserAsync(IServer server)
    {
        if (options.User is not { } user)
        {
            return;
        }

        try
        {
            if ((string?)await server.ExecuteAsync("ACL", "WHOAMI") is { } taken && taken != user)
            {
                throw Away(new RedisException($"WRONGPASS: it takes us for the user {taken}"));
            }
        }
        catch (RedisServerException e) when (e.Message.StartsWith("NOPERM", StringComparison.Ordinal))
        {
            // A user with rights of its own: the default one may ask.
        }
        catch (Exception e) when (RedisErrors.IsOfRedis(e))
        {
            throw Away(e);
        }
    }

    /// <summary>Finds words for a first connection that did not come about: the library has none for most reasons.</summary>
    private async Task<RedisAwayException> DiagnoseAsync(RedisAwayException failure, CancellationToken stop)
    {
        var endpoint = Endpoints().First();
        if (options.Unix is { } path && !File.Exists(path))
        {
            return new RedisAwayException($"Redis at {Address} can't be reached. (There is no such socket, or this user may not see it)", isRefusal: false, failure);
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Patience);
        try
        {
            using var socket = endpoint is UnixDomainSocketEndPoint
                ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
                : new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(endpoint, patience.Token);
        }
        catch (SocketException e)
        {
            return RedisErrors.Explain(e, null, this);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return RedisErrors.Explain(new TimeoutException(), null, this);
        }

        return new RedisAwayException(
            $"Something listens at {Address}, but does not answer as a Redis {(options.Tls ? "with TLS" : "without TLS")} would; see {section}.tls and the keys beside it. ({failure.InnerException?.Message})", isRefusal: false, failure);
    }

    private IEnumerable<EndPoint> Endpoints()
    {
        IEnumerable<EndPoint> endpoints = options switch
        {
            { Unix: { } path } => [new UnixDomainSocketEndPoint(path)],
            { Endpoints.Count: > 0 } => options.Endpoints,
            { SentinelEndpoints.Count: > 0 } => options.SentinelEndpoints,
            _ => [new DnsEndPoint(options.Host, options.Port)],
        };

        // An address as a name would be another server than the one that the cluster speaks of.
        return endpoints.Select(endpoint => endpoint is DnsEndPoint name && IPAddress.TryParse(name.Host, out var address) ? new IPEndPoint(address, name.Port) : endpoint);
    }

    private ClusterConfiguration? ClusterSeen() =>
        Multiplexer.GetServers().FirstOrDefault(server => server is { IsConnected: true, IsReplica: false, ServerType: ServerType.Cluster })?.ClusterConfiguration;

    private void Note(ConnectionFailedEventArgs? failure)
    {
        lastFailure = failure;
        Interlocked.Increment(ref interruptions);
        lock (gate)
        {
            interrupted.TrySetResult();
            interrupted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    private ConfigurationOptions Configuration()
    {
        var patience = (int)Patience.TotalMilliseconds;
        var configuration = new ConfigurationOptions
        {
            AbortOnConnectFail = true, // tried again by us: only so it says why
            AllowAdmin = true, // for CONFIG alone
            AsyncTimeout = patience,
            BacklogPolicy = BacklogPolicy.FailFast,
            ClientName = "statusd",
            ConfigCheckSeconds = 5,
            ConfigurationChannel = "", // nobody here publishes to it, and an ACL need not allow it
            ConnectRetry = 1,
            ConnectTimeout = patience,
            DefaultDatabase = options.Database,
            HeartbeatInterval = TimeSpan.FromMilliseconds(250),
            IncludeDetailInExceptions = false,
            KeepAlive = 5,
            Password = options.Password?.Reveal(),
            ReconnectRetryPolicy = new LinearRetry((int)Retry.TotalMilliseconds),
            ServiceName = options.SentinelService,
            SyncTimeout = patience,
            TieBreaker = "", // as with the channel: a key of the library's own
            User = options.User,
        };
        foreach (var endpoint in Endpoints())
        {
            configuration.EndPoints.Add(endpoint);
        }

        if (options.Tls)
        {
            configuration.Ssl = true;
            if (options.TlsAuthority is { } authority)
            {
                configuration.TrustIssuer(authority);
            }

            if (options.TlsCertificate is { } certificate)
            {
                var own = X509Certificate2.CreateFromPemFile(certificate, options.TlsKey);
                configuration.CertificateSelection += (_, _, _, _, _) => own;
            }
        }

        return configuration;
    }
}
