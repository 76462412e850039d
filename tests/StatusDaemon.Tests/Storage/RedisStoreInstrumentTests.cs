using StatusDaemon.Redis;
using StatusDaemon.Settings;
using StatusDaemon.Telemetry;

namespace StatusDaemon.Storage;

/// <summary>The instruments <c>statusd.redis.*</c> move for the reasons that docs/operations.md gives.</summary>
public sealed class RedisStoreInstrumentTests : IAsyncLifetime
{
    private readonly InstrumentReader instruments = new();
    private RedisProcess redis = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => redis = await RedisProcess.StartAsync(RedisProcess.Durable);

    public async ValueTask DisposeAsync()
    {
        instruments.Dispose();
        await redis.DisposeAsync();
    }

    [Fact]
    public async Task Up_tells_whether_the_server_answers_and_each_time_it_is_back_is_a_gap()
    {
        await using var store = await OpenAsync(redis.Options);
        Assert.Equal((1, 0), (instruments["statusd.redis.up"], instruments["statusd.redis.losses"]));
        for (var time = 1; time <= 2; time++)
        {
            var before = instruments["statusd.redis.gaps"];
            await redis.KillAsync();
            await instruments.BecomesAsync("statusd.redis.up", 0);
            await redis.StartAgainAsync();
            await instruments.BecomesAsync("statusd.redis.up", 1);
            Assert.True(instruments["statusd.redis.gaps"] > before);
        }
    }

    [Fact]
    public async Task Deaf_tells_whether_it_sends_notifications_where_we_may_not_turn_them_on()
    {
        await redis.TellAsync("ACL SETUSER statusd on >secret ~* &* +@all -config");
        await using var store = await OpenAsync(new RedisOptions { Port = redis.Port, User = "statusd", Password = new Secret("secret") });
        Assert.Equal(0, instruments["statusd.redis.deaf"]);
        await redis.TellAsync("CONFIG SET notify-keyspace-events \"\"");
        await instruments.BecomesAsync("statusd.redis.deaf", 1);
        Assert.Equal(1, instruments["statusd.redis.up"]);
        await redis.TellAsync("CONFIG SET notify-keyspace-events KA");
        await instruments.BecomesAsync("statusd.redis.deaf", 0);
    }

    [Fact]
    public async Task Waiting_and_lag_tell_of_what_no_shard_has_taken()
    {
        await using var store = await OpenAsync(redis.Options);
        await redis.TellAsync("SET status:a 1", "SET status:b 2");
        await RedisCluster.UntilAsync(() => Task.FromResult(store.External.Count == 2));
        Assert.Equal(2, instruments["statusd.redis.waiting"]);
        var lag = instruments["statusd.redis.lag"];
        Assert.True(lag > 0);
        Assert.True(instruments["statusd.redis.lag"] > lag);

        Assert.Equal(2, Enumerable.Range(0, 4).SelectMany(store.External.Take).Count());
        Assert.Equal((0, 0), (instruments["statusd.redis.waiting"], instruments["statusd.redis.lag"]));
    }

    [Fact]
    public async Task Known_counts_keys_whoever_wrote_and_deleted_them()
    {
        await using var store = await OpenAsync(redis.Options);
        await store.WriteAsync([StoredStatuses.Of("a", 5, 1, 1), StoredStatuses.Of("b", 5, 1, 2)], Stop);
        Assert.Equal(2, instruments["statusd.redis.known"]);
        await redis.TellAsync("SET status:c 1");
        await instruments.BecomesAsync("statusd.redis.known", 3);
        await redis.TellAsync("DEL status:a status:c");
        await instruments.BecomesAsync("statusd.redis.known", 1);
    }

    [Fact]
    public async Task A_flushed_database_is_a_loss_each_time()
    {
        await using var store = await OpenAsync(redis.Options);
        for (var time = 1; time <= 2; time++)
        {
            await RedisStatusStoreContract.WriteUntilTakenAsync(store, [StoredStatuses.Of("a", store.Incarnation, 1, time)]);
            Assert.Equal(1, instruments["statusd.redis.known"]);
            await redis.TellAsync("FLUSHALL");
            await instruments.BecomesAsync("statusd.redis.losses", time);
            Assert.Equal((0, 1), (instruments["statusd.redis.known"], instruments["statusd.redis.up"]));
        }
    }

    [Fact]
    public async Task Refused_counts_every_value_that_is_no_status_and_what_a_shard_does_not_take()
    {
        await using var store = await OpenAsync(redis.Options);
        await redis.TellAsync("SET status:a nine");
        await instruments.BecomesAsync("statusd.redis.refused", 1);
        await redis.TellAsync("SET status:a ten");
        await instruments.BecomesAsync("statusd.redis.refused", 2);
        await redis.TellAsync("""SET "status:\x01" 1"""); // of nobody
        await instruments.BecomesAsync("statusd.redis.refused", 3);
        await redis.TellAsync("SET status:a 1");
        await instruments.BecomesAsync("statusd.redis.waiting", 1);
        Assert.Equal(3, instruments["statusd.redis.refused"]);
        store.External.Refuse(StoredStatuses.Uid("a"), "of another domain");
        Assert.Equal(4, instruments["statusd.redis.refused"]);
    }

    private async Task<RedisStatusStore> OpenAsync(RedisOptions options)
    {
        var store = await RedisStatusStoreContract.OpenRedisAsync(options);
        store.Measure(instruments.Meter);
        return store;
    }
}
