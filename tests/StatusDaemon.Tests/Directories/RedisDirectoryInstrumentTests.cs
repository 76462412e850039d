using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StatusDaemon.Privileges;
using StatusDaemon.Redis;
using StatusDaemon.Settings;
using StatusDaemon.Telemetry;

namespace StatusDaemon.Directories;

/// <summary>The instruments <c>statusd.directory.*</c> of a database move for the reasons that docs/operations.md gives.</summary>
public sealed class RedisDirectoryInstrumentTests : IAsyncLifetime
{
    private readonly InstrumentReader instruments = new();
    private RedisProcess redis = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        redis = await RedisProcess.StartAsync(RedisProcess.Durable);
        await redis.TellAsync("SET dname:alice@A alice", "SET number:1001 alice", "HSET subscriber:alice dname alice@A numbers 1001", "SET dname:bob@A bob");
    }

    public async ValueTask DisposeAsync()
    {
        instruments.Dispose();
        await redis.DisposeAsync();
    }

    [Fact]
    public async Task Up_tells_whether_the_server_answers_and_each_time_it_is_back_is_a_gap()
    {
        await using var directory = await FollowAsync();
        Assert.Equal((1, 2), (instruments["statusd.directory.up"], instruments["statusd.directory.subscribers"]));
        for (var time = 1; time <= 2; time++)
        {
            var before = instruments["statusd.directory.gaps"];
            await redis.KillAsync();
            await instruments.BecomesAsync("statusd.directory.up", 0);
            await redis.StartAgainAsync();
            await instruments.BecomesAsync("statusd.directory.up", 1);
            Assert.True(instruments["statusd.directory.gaps"] > before);
        }

        Assert.Equal((2, 0), (instruments["statusd.directory.subscribers"], instruments["statusd.directory.missed"]));
    }

    [Fact]
    public async Task Deaf_tells_whether_it_sends_notifications()
    {
        await using var directory = await FollowAsync();
        Assert.Equal(0, instruments["statusd.directory.deaf"]);
        await redis.TellAsync("CONFIG SET notify-keyspace-events \"\"");
        await instruments.BecomesAsync("statusd.directory.deaf", 1);
        Assert.Equal(1, instruments["statusd.directory.up"]);
        await redis.TellAsync("CONFIG SET notify-keyspace-events KA");
        await instruments.BecomesAsync("statusd.directory.deaf", 0);
    }

    [Fact]
    public async Task Deaf_tells_too_that_nobody_knows_whether_it_sends_any()
    {
        await redis.TellAsync("ACL SETUSER reader on >secret allkeys allchannels +@read +@connection +psubscribe +punsubscribe +multi +exec");
        await using var directory = await FollowAsync(server: new RedisOptions { Port = redis.Port, User = "reader", Password = new Secret("secret") });
        Assert.Equal((1, 1), (instruments["statusd.directory.deaf"], instruments["statusd.directory.up"]));
    }

    [Fact]
    public async Task Waiting_and_lag_tell_of_what_rang_and_was_not_read()
    {
        var clock = new FakeTimeProvider();
        var opening = FollowAsync(clock);
        await PassAsync(() => opening.IsCompleted);

        // Without time it goes on gathering what belongs to one change.
        await using var directory = await opening;
        await redis.TellAsync("SADD black:alice bob", "SADD black:bob alice", "SADD black:bob carol");
        await instruments.BecomesAsync("statusd.directory.waiting", 2);
        Assert.Equal(0, instruments["statusd.directory.lag"]);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal((2, 0.001), (instruments["statusd.directory.waiting"], instruments["statusd.directory.lag"]));
        Assert.True(directory.Current.Judge(SmallDirectories.UidOf("alice"), SmallDirectories.UidOf("bob")).IsVisible);

        await PassAsync(() => (instruments["statusd.directory.waiting"], instruments["statusd.directory.lag"]) == (0, 0));
        Assert.False(directory.Current.Judge(SmallDirectories.UidOf("alice"), SmallDirectories.UidOf("bob")).IsVisible);

        Task PassAsync(Func<bool> isSo) => SeesAsync(() =>
        {
            clock.Advance(TimeSpan.FromMilliseconds(10));
            return isSo();
        });
    }

    [Fact]
    public async Task Subscribers_differences_and_unfit_keys_are_counted_as_they_come_and_go()
    {
        await using var directory = await FollowAsync();
        Assert.Equal((2, 0, 0), (instruments["statusd.directory.subscribers"], instruments["statusd.directory.differences"], instruments["statusd.directory.unfit"]));
        await redis.TellAsync("SET number:1003 carol");
        await instruments.BecomesAsync("statusd.directory.subscribers", 3);
        await redis.TellAsync("DEL number:1003");
        await instruments.BecomesAsync("statusd.directory.subscribers", 2);

        await redis.TellAsync("HSET subscriber:alice numbers 1001,1009");
        await instruments.BecomesAsync("statusd.directory.differences", 1);
        await redis.TellAsync("SET number:1009 alice");
        await instruments.BecomesAsync("statusd.directory.differences", 0);

        await redis.TellAsync("SADD black:alice nmber:10*", "SET white:bob text");
        await instruments.BecomesAsync("statusd.directory.unfit", 2);
        await redis.TellAsync("SET dname:no-realm bob"); // found by a sweep
        await instruments.BecomesAsync("statusd.directory.unfit", 3);
        await redis.TellAsync("DEL black:alice white:bob dname:no-realm");
        await instruments.BecomesAsync("statusd.directory.unfit", 0);
    }

    [Fact]
    public async Task Missed_counts_what_no_notification_told()
    {
        await using var directory = await FollowAsync();
        await redis.TellAsync("SADD black:alice bob");
        await SeesAsync(() => !directory.Current.Judge(SmallDirectories.UidOf("alice"), SmallDirectories.UidOf("bob")).IsVisible);
        Assert.Equal(0, instruments["statusd.directory.missed"]);
        await redis.TellAsync("MULTI", "CONFIG SET notify-keyspace-events \"\"", "SADD black:bob alice", "SET number:1002 bob", "CONFIG SET notify-keyspace-events KA", "EXEC"); // so that nobody can see that it was off
        await instruments.BecomesAsync("statusd.directory.missed", 2);
        await SeesAsync(() => !directory.Current.Judge(SmallDirectories.UidOf("bob"), SmallDirectories.UidOf("alice")).IsVisible);
        Assert.Equal(0, instruments["statusd.directory.deaf"]);
    }

    private static Task SeesAsync(Func<bool> isSo) => RedisCluster.UntilAsync(() => Task.FromResult(isSo()));

    private async Task<RedisDirectory> FollowAsync(TimeProvider? clock = null, RedisOptions? server = null)
    {
        var directory = await RedisDirectory.OpenAsync(
            new PrivilegeRedisOptions { Server = server ?? redis.Options, Sweep = TimeSpan.FromMilliseconds(100) }, new DirectoryPolicy { AllowsByDefault = true }, realm: null, clock ?? TimeProvider.System, NullLogger<RedisDirectory>.Instance, Stop);
        directory.Measure(instruments.Meter);
        await directory.StartAsync(Stop);
        return directory;
    }
}
