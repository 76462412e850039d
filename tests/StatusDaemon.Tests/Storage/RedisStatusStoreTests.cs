using Microsoft.Extensions.Logging.Abstractions;
using StatusDaemon.Names;
using StatusDaemon.Redis;

namespace StatusDaemon.Storage;

public sealed class RedisStatusStoreTests : StatusStoreContract, IAsyncLifetime
{
    private RedisProcess redis = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => redis = await RedisProcess.StartAsync(RedisProcess.Durable);

    public ValueTask DisposeAsync() => redis.DisposeAsync();

    private protected override async Task<IStatusStore> OpenAsync() => await RedisStatusStore.OpenAsync(
        new StatusRedisOptions { Server = redis.Options }, shards: 4, new UidTable(), TimeProvider.System, NullLogger<RedisStatusStore>.Instance, Stop);
}
