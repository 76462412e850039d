using System.Net;
using StatusDaemon.Redis;

namespace StatusDaemon.Storage;

/// <summary>A primary with a replica, and a sentinel that promotes the replica when the primary dies.</summary>
public sealed class RedisSentinelStoreTests : IAsyncLifetime
{
    private RedisProcess primary = null!;
    private RedisProcess replica = null!;
    private RedisProcess sentinel = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        primary = await RedisProcess.StartAsync(RedisProcess.Durable);
        replica = await RedisProcess.StartAsync([.. RedisProcess.Durable, "--replicaof", "127.0.0.1", $"{primary.Port}"]);
        while (!await replica.ReplicatesAsync())
        {
            await Task.Delay(20, Stop);
        }

        sentinel = await RedisProcess.StartSentinelAsync(primary);
        await sentinel.KnowsReplicaAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await sentinel.DisposeAsync();
        await replica.DisposeAsync();
        await primary.DisposeAsync();
    }

    [Fact]
    public async Task After_a_failover_the_promoted_replica_has_everything_and_is_heard()
    {
        var options = new RedisOptions { SentinelEndpoints = [new DnsEndPoint("127.0.0.1", sentinel.Port)], SentinelService = "main" };
        await using var store = await RedisStatusStoreContract.OpenRedisAsync(options);
        var before = await store.NextEpochAsync(0, Stop);
        var written = Enumerable.Range(1, 300).Select(i => StoredStatuses.Of($"uid-{i}", store.Incarnation, before, i)).ToList();
        await store.WriteAsync(written, Stop);

        await primary.KillAsync();
        while (await TryEpochAsync(store) is not { } after || after <= before)
        {
            await Task.Delay(20, Stop);
        }

        await store.WriteAsync(written, Stop);
        Assert.Equal(written.ToHashSet(), (await store.ScanAsync(Stop).ToListAsync(Stop)).ToHashSet());
        await replica.Commands.StringSetAsync("status:uid-1", "7");
        await RedisStatusStoreContract.WaitForAsync(store, "uid-1");
    }

    private static async Task<long?> TryEpochAsync(RedisStatusStore store)
    {
        try
        {
            return await store.NextEpochAsync(0, Stop);
        }
        catch (StoreException)
        {
            return null; // nobody is primary yet
        }
    }
}
