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
        Assert.True(await InTheEndAsync(() => store.NextEpochAsync(0, Stop)) > before);
        await InTheEndAsync(() => store.WriteAsync(written, Stop));
        var read = await InTheEndAsync(() => store.ScanAsync(Stop).ToListAsync(Stop).AsTask());
        Assert.Equal(written.ToHashSet(), read.ToHashSet());
        await replica.Commands.StringSetAsync("status:uid-1", "7");
        await RedisStatusStoreContract.WaitForAsync(store, "uid-1");
    }

    /// <summary>Tries until it succeeds: nobody is primary for a while, and the promoted one cuts its connections when sentinels set it up.</summary>
    private static async Task<T> InTheEndAsync<T>(Func<Task<T>> act)
    {
        while (true)
        {
            try
            {
                return await act();
            }
            catch (StoreException)
            {
                await Task.Delay(20, Stop);
            }
        }
    }
}
