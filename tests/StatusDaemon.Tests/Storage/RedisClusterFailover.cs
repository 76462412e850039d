using StatusDaemon.Redis;

namespace StatusDaemon.Storage;

/// <summary>A cluster in which a server is killed that has a replica: the cluster promotes it by itself. The server is the one with the store's marker.</summary>
public abstract class RedisClusterFailover : IAsyncLifetime
{
    private const int Shards = 4;

    private protected static readonly string[] Uids = [.. Enumerable.Range(1, 600).Select(i => $"uid-{i}")];

    private long seq;

    private protected static CancellationToken Stop => TestContext.Current.CancellationToken;

    private protected RedisCluster Cluster { get; } = new();

    private protected RedisProcess Primary { get; private set; } = null!;

    private protected RedisProcess Replica { get; private set; } = null!;

    private protected RedisStatusStore Store { get; private set; } = null!;

    private protected long Epoch { get; private set; }

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        await Cluster.InitializeAsync();
        Primary = Cluster.OwnerOf("statusd:store");
        Replica = await Cluster.AddReplicaAsync(Primary);
        Store = await RedisStatusStoreContract.OpenRedisAsync(Cluster.Options, Shards);
        Epoch = await Store.NextEpochAsync(0, Stop);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Store is not null)
        {
            await Store.DisposeAsync();
        }

        await Cluster.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected static string KeyOf(string uid) => $"status:{uid}";

    /// <summary>A new status of each.</summary>
    private protected List<StoredStatus> Next(IEnumerable<string> uids) => [.. uids.Select(uid => StoredStatuses.Of(uid, Store.Incarnation, Epoch, ++seq))];

    /// <summary>The database has these and nothing else, and nobody took any of it for another program's.</summary>
    private protected async Task IsWholeAsync(List<StoredStatus> written)
    {
        Assert.Equal(written.ToHashSet(), (await Store.ScanAsync(Stop).ToListAsync(Stop)).ToHashSet());
        Assert.Empty(Enumerable.Range(0, Shards).SelectMany(Store.External.Take));
    }
}
