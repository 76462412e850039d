using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
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

    private const int ClusterSlots = 16_384;

    /// <summary>How old a connection is at least that is given up for a new one.</summary>
    private static readonly TimeSpan Renewal = TimeSpan.FromSeconds(2);

    private readonly Lock gate = new();

    // Of the loop that connects.
    private ConnectionMultiplexer? made;
    private long madeAt;
    private long checkedAt; // how many interruptions there were when it was asked last who we are

    private volatile ConnectionMultiplexer? multiplexer; // the one made last that has taken us for who we said we are
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
        if (made is not null)
        {
            try
            {
                PrimariesOf(made);
            }
            catch (RedisAwayException) when (Stopwatch.GetElapsedTime(madeAt) >= Renewal)
            {
                await DiscardAsync();
            }
        }

        made ??= await MakeAsync(stop);
        var seen = Interruptions;
        if (made == multiplexer && seen == checkedAt)
        {
            return;
        }

        try
        {
            foreach (var server in PrimariesOf(made))
            {
                await RequireUserAsync(server);
            }
        }
        catch (RedisAwayException e) when (e.IsRefusal)
        {
            await DiscardAsync();
            throw;
        }

        checkedAt = seen;
        if (made != multiplexer)
        {
            multiplexer = made;
            Note(null);
        }
    }

    /// <summary>Every server that owns keys; all of them are connected.</summary>
    /// <exception cref="RedisAwayException">One is not there.</exception>
    public IReadOnlyList<IServer> Primaries() => PrimariesOf(Multiplexer);

    /// <summary>What a failed command or connection means, in words.</summary>
    public RedisAwayException Away(Exception? failure) =>
        failure as RedisAwayException ?? RedisErrors.Explain(failure ?? lastFailure?.Exception, lastFailure, this);

    /// <summary>The server of a cluster that owns a key, as the cluster is seen by the one that <see cref="Primaries"/> goes by; null if none does.</summary>
    public EndPoint? OwnerOf(RedisKey key) => ClusterSeen(Multiplexer)?.GetBySlot(Multiplexer.HashSlot(key))?.EndPoint;

    /// <summary>Gives commands, and says in words why they failed.</summary>
    /// <exception cref="RedisAwayException">Redis is away, or refuses them.</exception>
    public async Task<T> RunAsync<T>(Func<IDatabase, Task<T>> run)
    {
        try
        {
            return await run(Commands);
        }
        catch (Exception e) when (RedisErrors.IsOfRedis(e) || e is OperationCanceledException) // as the library ends what is in a transaction that was not done
        {
            if (RedisErrors.IsOfReplica(e))
            {
                await Multiplexer.ConfigureAsync(); // who is who is asked anew
            }

            throw Away(e);
        }
    }

    /// <summary>The keys of a server that match, some perhaps twice, a page at a time.</summary>
    /// <exception cref="RedisAwayException">Redis is away.</exception>
    public async IAsyncEnumerable<IReadOnlyList<byte[]>> KeysAsync(IServer server, string glob, int keysPerPage)
    {
        var page = new List<byte[]>(keysPerPage);
        await using var keys = server.KeysAsync(Database, glob, keysPerPage, flags: CommandFlags.DemandMaster).GetAsyncEnumerator();
        while (await RunAsync(async _ => await keys.MoveNextAsync()))
        {
            page.Add((byte[])keys.Current!);
            if (page.Count == keysPerPage)
            {
                yield return page;
                page = new List<byte[]>(keysPerPage);
            }
        }

        yield return page;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (made is not null)
        {
            await made.DisposeAsync();
        }
    }

    /// <summary>Makes a connection, which may not be as whom we said yet.</summary>
    private async Task<ConnectionMultiplexer> MakeAsync(CancellationToken stop)
    {
        await ReachAsync(stop);
        try
        {
            var next = await ConnectionMultiplexer.ConnectAsync(RedisConfiguration.Of(options)).WaitAsync(stop);
            next.ConnectionFailed += (_, failure) => Note(failure);
            next.ConnectionRestored += (_, _) => Note(null);
            next.ConfigurationChanged += (_, _) => Note(null);
            madeAt = Stopwatch.GetTimestamp();
            Note(null);
            return next;
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
    }

    private async Task DiscardAsync()
    {
        await made!.DisposeAsync();
        made = null;
    }

    private IServer[] PrimariesOf(ConnectionMultiplexer connected)
    {
        var servers = connected.GetServers();
        IServer[] primaries = [.. servers.Where(server => server is { IsConnected: true, IsReplica: false, ServerType: ServerType.Standalone or ServerType.Cluster })];
        if (ClusterSeen(connected) is { } cluster)
        {
            var owners = cluster.Nodes.Where(node => !node.IsReplica && node.Slots.Count > 0).ToArray();
            if (owners.FirstOrDefault(node => primaries.All(primary => !Equals(primary.EndPoint, node.EndPoint))) is { } missing)
            {
                throw new RedisAwayException($"The cluster's server {missing.EndPoint} is away.", isRefusal: false);
            }

            // A server that the cluster has given up is not among the nodes, and until its replica is promoted nobody owns its slots.
            if (owners.SelectMany(node => node.Slots).Sum(slots => slots.To - slots.From + 1) is < ClusterSlots and var owned)
            {
                throw new RedisAwayException($"The cluster has no server for {ClusterSlots - owned} of its {ClusterSlots} slots.", isRefusal: false);
            }

            primaries = [.. primaries.Where(primary => cluster[primary.EndPoint] is { Slots.Count: > 0 })];
        }
        else if (primaries.Length > 1)
        {
            // After a failover the primary of before comes back and does not know yet: what is written there is lost.
            throw new RedisAwayException($"{string.Join(" and ", primaries.Select(primary => primary.EndPoint))} both take writes: make all but one of them replicas.", isRefusal: false);
        }

        if (primaries.Length == 0 && servers.FirstOrDefault(server => server is { IsConnected: true, IsReplica: true }) is { } replica)
        {
            throw new RedisAwayException($"Redis at {replica.EndPoint} is a replica, which takes no writes and may not know yet what its primary was told: name the primary, or all of them in {section}.endpoints.", isRefusal: false);
        }

        return primaries.Length > 0 ? primaries : throw Away(null);
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
        catch (RedisServerException e) when (RedisErrors.IsOfMissingRight(e))
        {
            // A user with rights of its own: the default one may ask.
        }
        catch (Exception e) when (RedisErrors.IsOfRedis(e))
        {
            throw Away(e);
        }
    }

    /// <summary>Makes sure that something listens: the library now and then takes all its patience to find that nothing does, and misses who comes meanwhile.</summary>
    /// <exception cref="RedisAwayException">Nothing listens at any of the addresses.</exception>
    private async Task ReachAsync(CancellationToken stop)
    {
        if (options.Unix is { } path && !File.Exists(path))
        {
            throw new RedisAwayException($"Redis at {Address} can't be reached. (There is no such socket, or this user may not see it)", isRefusal: false);
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Patience);
        var knocks = RedisConfiguration.EndpointsOf(options).Select(endpoint => KnockAsync(endpoint, patience.Token)).ToList();
        Exception? failure = null;
        while (knocks.Count > 0)
        {
            var ended = await Task.WhenAny(knocks);
            knocks.Remove(ended);
            if (await ended is not { } why)
            {
                await patience.CancelAsync();
                return;
            }

            failure ??= why;
        }

        stop.ThrowIfCancellationRequested();
        throw RedisErrors.Explain(failure, null, this);
    }

    /// <returns>Why nothing listens there; null if something does.</returns>
    private static async Task<Exception?> KnockAsync(EndPoint endpoint, CancellationToken patience)
    {
        using var socket = endpoint is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(endpoint, patience);
            return null;
        }
        catch (SocketException e)
        {
            return e;
        }
        catch (OperationCanceledException)
        {
            return new TimeoutException();
        }
    }

    /// <summary>Finds words for a first connection that did not come about: the library has none for most reasons.</summary>
    private async Task<RedisAwayException> DiagnoseAsync(RedisAwayException failure, CancellationToken stop)
    {
        await ReachAsync(stop);
        return new RedisAwayException(
            $"Something listens at {Address}, but does not answer as a Redis {(options.Tls ? "with TLS" : "without TLS")} would; see {section}.tls and the keys beside it.", isRefusal: false, failure);
    }

    private static ClusterConfiguration? ClusterSeen(ConnectionMultiplexer connected) =>
        connected.GetServers().FirstOrDefault(server => server is { IsConnected: true, IsReplica: false, ServerType: ServerType.Cluster })?.ClusterConfiguration;

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
}
