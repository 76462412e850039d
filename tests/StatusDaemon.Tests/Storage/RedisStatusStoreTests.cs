using StackExchange.Redis;
using StatusDaemon.Redis;

namespace StatusDaemon.Storage;

/// <summary>A Redis as Debian ships it, but for persistence and notifications.</summary>
public sealed class RedisStatusStoreTests : RedisStatusStoreContract
{
    private RedisProcess redis = null!;

    private protected override RedisOptions Options => redis.Options;

    private protected override IDatabase Others => redis.Commands;

    public override async ValueTask InitializeAsync() => redis = await RedisProcess.StartAsync(RedisProcess.Durable);

    public override ValueTask DisposeAsync() => redis.DisposeAsync();

    private protected override Task FlushAsync() => redis.Server.FlushAllDatabasesAsync();
}
