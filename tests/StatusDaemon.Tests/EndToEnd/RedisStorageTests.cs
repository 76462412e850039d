using StackExchange.Redis;
using StatusDaemon.Redis;

namespace StatusDaemon.EndToEnd;

/// <summary>Statuses in a real Redis, which other programs read and write, and to which things happen.</summary>
public sealed class RedisStorageTests : IAsyncLifetime
{
    private RedisProcess redis = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => redis = await RedisProcess.StartAsync(RedisProcess.Durable);

    public ValueTask DisposeAsync() => redis.DisposeAsync();

    [Fact]
    public async Task What_another_program_writes_is_with_those_who_may_see_it_and_what_clients_publish_is_in_the_key()
    {
        await using var server = await RedisServer.StartAsync(redis, directory: StatusdProcess.Directory.Replace("name: C", "name: C, black: [uid-b]", StringComparison.Ordinal));
        await using var a = await server.ConnectAsync("a");
        await using var b = await server.ConnectAsync("b");
        await using var c = await server.ConnectAsync("c");
        await a.WatchAsync("uid-c");
        await b.WatchAsync("uid-c");
        await b.WatchAsync("uid-a");

        await redis.Commands.StringSetAsync("status:uid-c", "4");
        Assert.Equal("""{"status":4,"publisher":"uid-c"}""", await a.ReceiveAsync());
        await redis.Commands.StringSetAsync("status:uid-c", """{"status":2,"publisher":"uid-c","timestamp":"17.5","v":"0000000000000001.9.9"}""");
        Assert.Equal("""{"status":2,"publisher":"uid-c","timestamp":"17.5"}""", await a.ReceiveAsync());
        await c.SendAsync("""{"status":5,"timestamp":18}""");
        Assert.Equal("""{"status":5,"publisher":"uid-c","timestamp":18}""", await a.ReceiveAsync());
        await ValueBecomesAsync("uid-c", """{"status":5,"publisher":"uid-c","timestamp":18,"v":""");

        await redis.Commands.KeyDeleteAsync("status:uid-c");
        Assert.Equal("""{"status":8,"publisher":"uid-c"}""", await a.ReceiveAsync());
        await redis.Commands.StringSetAsync("status:uid-a", "1");
        Assert.Equal("""{"status":1,"publisher":"uid-a"}""", await b.ReceiveAsync()); // and nothing of uid-c before it
    }

    [Fact]
    public async Task A_key_that_ends_is_unknown_and_its_time_is_kept_until_then()
    {
        await using var server = await RedisServer.StartAsync(redis);
        await using var a = await server.ConnectAsync("a");
        await a.WatchAsync("uid-c");
        await redis.Commands.StringSetAsync("status:uid-c", "4", TimeSpan.FromSeconds(2));
        await a.SeesAsync("uid-c", 4);
        await ValueBecomesAsync("uid-c", """{"status":4,"publisher":"uid-c","v":""");
        Assert.InRange((await redis.Commands.KeyTimeToLiveAsync("status:uid-c"))!.Value, TimeSpan.Zero, TimeSpan.FromSeconds(2));

        Assert.Equal("""{"status":8,"publisher":"uid-c"}""", await a.ReceiveAsync());
        await redis.Commands.StringSetAsync("status:uid-c", "4", TimeSpan.FromMinutes(1));
        await a.SeesAsync("uid-c", 4);
        await using var c = await server.ConnectAsync("c");
        await c.SendAsync("""{"status":1}""");
        await a.SeesAsync("uid-c", 1);
        await ValueBecomesAsync("uid-c", """{"status":1,""");
        Assert.Null(await redis.Commands.KeyTimeToLiveAsync("status:uid-c"));
    }

    [Fact]
    public async Task What_a_client_says_stays_when_the_time_of_what_it_replaced_is_over_before_it_is_saved()
    {
        await using var server = await RedisServer.StartAsync(redis);
        await using var a = await server.ConnectAsync("a");
        await using var c = await server.ConnectAsync("c");
        await a.WatchAsync("uid-c");
        await redis.Commands.StringSetAsync("status:uid-c", "4", TimeSpan.FromSeconds(1));
        await a.SeesAsync("uid-c", 4);
        await ValueBecomesAsync("uid-c", """{"status":4,"publisher":"uid-c","v":""");
        redis.Suspend();
        await c.SendAsync("""{"status":2}""");
        Assert.Equal("""{"status":2,"publisher":"uid-c"}""", await a.ReceiveAsync());
        await Task.Delay(TimeSpan.FromSeconds(1.1), Stop); // its time passes while nobody can see it
        redis.Resume();
        await ValueBecomesAsync("uid-c", """{"status":2,""");
        await c.SendAsync("""{"status":3}""");
        Assert.Equal("""{"status":3,"publisher":"uid-c"}""", await a.ReceiveAsync());
    }

    [Fact]
    public async Task What_is_no_status_is_said_once_and_left_alone_until_the_next_status()
    {
        await using var server = await RedisServer.StartAsync(redis);
        await using var a = await server.ConnectAsync("a");
        await using var c = await server.ConnectAsync("c");
        await a.WatchAsync("uid-c");
        await redis.Commands.StringSetAsync("status:uid-c", "nine");
        await server.Statusd.SeesAsync("Another program's value of status:uid-c is not taken: neither a number 1 to 8 nor a JSON object.");
        await redis.Commands.StringSetAsync("status:uid-c", "ten");
        await redis.Commands.StringSetAsync("status:uid-x", "2");
        await server.Statusd.SeesAsync("Another program's value of status:uid-x is not taken: the subscriber is of another domain, or in no directory");
        await redis.Commands.HashSetAsync("status:uid-b", "status", 2);
        await server.Statusd.SeesAsync("Another program's value of status:uid-b is not taken");
        Assert.Equal("ten", (string?)await redis.Commands.StringGetAsync("status:uid-c"));
        Assert.Equal("2", (string?)await redis.Commands.StringGetAsync("status:uid-x"));
        await redis.Commands.StringSetAsync("status:uid-x", "3");
        await a.WatchAsync("uid-a");
        await redis.Commands.StringSetAsync("status:uid-a", "4");
        await a.SeesAsync("uid-a", 4); // what rang before was looked at, too
        Assert.Single(server.Statusd.Output.Split('\n'), line => line.Contains("status:uid-c", StringComparison.Ordinal));
        Assert.Single(server.Statusd.Output.Split('\n'), line => line.Contains("status:uid-x", StringComparison.Ordinal));

        await c.SendAsync("""{"status":7}""");
        Assert.Equal("""{"status":7,"publisher":"uid-c"}""", await a.ReceiveAsync());
        await ValueBecomesAsync("uid-c", """{"status":7,""");
        await using var b = await server.ConnectAsync("b");
        await b.SendAsync("""{"status":6}""");
        await ValueBecomesAsync("uid-b", """{"status":6,""");
    }

    [Fact]
    public async Task A_subscriber_of_no_directory_has_a_status_where_that_is_wanted()
    {
        await using var server = await RedisServer.StartAsync(redis, ", unknown_uids: accept");
        await using var a = await server.ConnectAsync("a");
        Assert.Equal("""{"status":8,"publisher":"door-7"}""", await a.WatchAsync("door-7"));
        await redis.Commands.StringSetAsync("status:door-7", "2");
        Assert.Equal("""{"status":2,"publisher":"door-7"}""", await a.ReceiveAsync());
        await ValueBecomesAsync("door-7", """{"status":2,"publisher":"door-7","v":""");
    }

    [Fact]
    public async Task A_killed_redis_is_noticed_by_no_client_and_gets_what_it_missed_and_what_is_written_to_it_at_once_is_seen()
    {
        await using var server = await RedisServer.StartAsync(redis);
        await using var a = await server.ConnectAsync("a");
        await using var c = await server.ConnectAsync("c");
        await a.WatchAsync("uid-b");
        await a.WatchAsync("uid-c");
        await c.SendAsync("""{"status":1}""");
        await a.SeesAsync("uid-c", 1);
        await ValueBecomesAsync("uid-c", """{"status":1,""");

        await redis.KillAsync();
        await server.Statusd.SeesAsync(" 4101 ");
        Assert.Equal("ready\nstorage: Redis is away; the log says why (event 4101)\n", await server.Statusd.AskReadyAsync());
        await c.SendAsync("""{"status":2}""");
        Assert.Equal("""{"status":2,"publisher":"uid-c"}""", await a.ReceiveAsync());
        await using var late = await server.ConnectAsync("b");
        Assert.Equal("""{"status":2,"publisher":"uid-c"}""", await late.WatchAsync("uid-c"));

        await redis.StartAgainAsync();
        await redis.Commands.StringSetAsync("status:uid-b", "6");
        await a.SeesAsync("uid-b", 6);
        await ValueBecomesAsync("uid-c", """{"status":2,""");
        await ValueBecomesAsync("uid-b", """{"status":6,"publisher":"uid-b","v":""");
    }

    [Fact]
    public async Task A_redis_that_stood_still_takes_late_what_was_sent_to_it_and_nothing_turns_back()
    {
        await using var server = await RedisServer.StartAsync(redis);
        await using var a = await server.ConnectAsync("a");
        await using var c = await server.ConnectAsync("c");
        await a.WatchAsync("uid-c");
        await c.SendAsync("""{"status":1}""");
        await a.SeesAsync("uid-c", 1);
        await ValueBecomesAsync("uid-c", """{"status":1,""");

        redis.Suspend();
        for (var status = 2; status <= 6; status++)
        {
            await c.SendAsync($$"""{"status":{{status}}}""");
            Assert.Equal($$"""{"status":{{status}},"publisher":"uid-c"}""", await a.ReceiveAsync());
            await Task.Delay(TimeSpan.FromMilliseconds(60), Stop); // longer than STORAGE.flush: each is sent to it
        }

        await server.Statusd.SeesAsync(" 4101 ");
        redis.Resume();
        await ValueBecomesAsync("uid-c", """{"status":6,""");
        await server.Statusd.SeesAsync(" 4102 ");
        await c.SendAsync("""{"status":7}""");
        Assert.Equal("""{"status":7,"publisher":"uid-c"}""", await a.ReceiveAsync());
    }

    [Fact]
    public async Task A_redis_that_comes_back_with_less_is_given_everything_again()
    {
        await redis.DisposeAsync();
        redis = await RedisProcess.StartAsync("--notify-keyspace-events", "KA"); // it keeps nothing by itself
        await using var server = await RedisServer.StartAsync(redis);
        await using var a = await server.ConnectAsync("a");
        await using var b = await server.ConnectAsync("b");
        await using var c = await server.ConnectAsync("c");
        await a.WatchAsync("uid-b");
        await c.SendAsync("""{"status":1}""");
        await ValueBecomesAsync("uid-c", """{"status":1,""");
        await redis.Server.ExecuteAsync("SAVE"); // a dump that knows nothing of what follows
        await c.SendAsync("""{"status":2}""");
        await b.SendAsync("""{"status":3}""");
        await ValueBecomesAsync("uid-c", """{"status":2,""");
        await ValueBecomesAsync("uid-b", """{"status":3,""");

        await redis.KillAsync();
        await redis.StartAgainAsync();
        await server.Statusd.SeesAsync(" 4105 ");
        await ValueBecomesAsync("uid-c", """{"status":2,""");
        await ValueBecomesAsync("uid-b", """{"status":3,""");

        // Neither the old value nor the missing key was taken for somebody's doing.
        await a.SeesAsync("uid-b", 3);
        await b.SendAsync("""{"status":4}""");
        Assert.Equal("""{"status":4,"publisher":"uid-b"}""", await a.ReceiveAsync());
    }

    [Fact]
    public async Task An_emptied_database_is_filled_again_and_what_is_written_to_it_is_taken()
    {
        await using var server = await RedisServer.StartAsync(redis);
        await using var a = await server.ConnectAsync("a");
        await using var c = await server.ConnectAsync("c");
        await a.WatchAsync("uid-c");
        await a.WatchAsync("uid-b");
        await c.SendAsync("""{"status":2}""");
        await a.SeesAsync("uid-c", 2);
        await ValueBecomesAsync("uid-c", """{"status":2,""");
        var marker = await redis.Commands.HashGetAsync("statusd:store", "incarnation");

        await redis.Server.FlushAllDatabasesAsync();
        await redis.Commands.StringSetAsync("status:uid-b", "5");
        await server.Statusd.SeesAsync(" 4105 ");
        await ValueBecomesAsync("uid-c", """{"status":2,""");
        Assert.Equal("""{"status":5,"publisher":"uid-b"}""", await a.ReceiveAsync());
        Assert.Equal(marker, await redis.Commands.HashGetAsync("statusd:store", "incarnation"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("K$")] // what sets a key still rings, and what ends it does not
    public async Task Notifications_that_are_turned_off_are_turned_on_again_and_what_was_missed_is_found(string flags)
    {
        await using var server = await RedisServer.StartAsync(redis);
        await using var a = await server.ConnectAsync("a");
        await a.WatchAsync("uid-c");
        await redis.Server.ConfigSetAsync("notify-keyspace-events", flags);
        await redis.Commands.StringSetAsync("status:uid-c", "6");
        Assert.Equal("""{"status":6,"publisher":"uid-c"}""", await a.ReceiveAsync());
        await redis.Commands.KeyDeleteAsync("status:uid-c");
        Assert.Equal("""{"status":8,"publisher":"uid-c"}""", await a.ReceiveAsync());
        await server.Statusd.SeesAsync(" 4108 ");
        Assert.Equal("AK", (await redis.Server.ConfigGetAsync("notify-keyspace-events"))[0].Value);
    }

    [Fact]
    public async Task Without_redis_the_start_waits_in_words_and_goes_on_when_it_comes()
    {
        await redis.KillAsync();
        await using var server = await RedisServer.StartWithoutAsync(redis);
        Assert.Contains("storage: Redis is away", await server.Statusd.AskReadyAsync(System.Net.HttpStatusCode.ServiceUnavailable), StringComparison.Ordinal);
        await redis.StartAgainAsync();
        await server.Statusd.ReadyAsync();
        await using var a = await server.ConnectAsync("a");
        await redis.Commands.StringSetAsync("status:uid-c", "3");
        await a.WatchAsync("uid-c");
        await a.SendAsync("""{"status":2,"events":{"uid-a":9}}""");
        await a.SeesAsync("uid-a", 2);
    }

    [Fact]
    public async Task A_killed_server_finds_everything_in_redis_and_what_was_written_meanwhile_is_newer()
    {
        await using var server = await RedisServer.StartAsync(redis);
        await using (var b = await server.ConnectAsync("b"))
        await using (var c = await server.ConnectAsync("c"))
        {
            await b.SendAsync("""{"status":5}""");
            await c.SendAsync("""{"status":6}""");
            await ValueBecomesAsync("uid-b", """{"status":5,""");
            await ValueBecomesAsync("uid-c", """{"status":6,""");
        }

        await server.Statusd.KillAsync();
        await redis.Commands.StringSetAsync("status:uid-c", "7");
        await server.Statusd.StartAgainAsync();
        await using var a = await server.ConnectAsync("a");
        Assert.Equal("""{"status":5,"publisher":"uid-b"}""", await a.WatchAsync("uid-b"));
        Assert.Equal("""{"status":7,"publisher":"uid-c"}""", await a.WatchAsync("uid-c"));
        await ValueBecomesAsync("uid-c", """{"status":7,"publisher":"uid-c","v":""");
    }

    [Fact]
    public async Task A_server_that_may_not_have_notifications_does_not_start_and_names_the_line()
    {
        await redis.Server.ExecuteAsync("ACL", "SETUSER", "statusd", "on", ">secret", "~*", "&*", "+@all", "-config");
        await redis.Server.ConfigSetAsync("notify-keyspace-events", "");
        var (code, output) = await RedisServer.FailAsync(redis, ", user: statusd, password: secret");
        Assert.Equal(1, code);
        Assert.Contains("Add the line 'notify-keyspace-events KA' to its redis.conf", output, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_password_stops_the_start_also_where_the_default_user_needs_none()
    {
        await redis.Server.ExecuteAsync("ACL", "SETUSER", "statusd", "on", ">secret", "~*", "&*", "+@all");
        var (code, output) = await RedisServer.FailAsync(redis, ", user: statusd, password: guess");
        Assert.Equal(1, code);
        Assert.Contains("refuses user or password; set REDIS.user and REDIS.password", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_password_stops_the_start_in_words()
    {
        await redis.Server.ConfigSetAsync("requirepass", "secret");
        var (code, output) = await RedisServer.FailAsync(redis, ", password: guess");
        Assert.Equal(1, code);
        Assert.Contains("refuses user or password; set REDIS.user and REDIS.password", output, StringComparison.Ordinal);
        Assert.DoesNotContain("guess", output, StringComparison.Ordinal);
    }

    /// <summary>Waits until a key has a value that begins like this; that it has is the event, and reading it the only way to see it.</summary>
    private async Task ValueBecomesAsync(string uid, string beginning)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        patience.CancelAfter(TimeSpan.FromSeconds(20));
        while (!(await TextOfAsync()).StartsWith(beginning, StringComparison.Ordinal))
        {
            await Task.Delay(5, patience.Token);
        }

        async Task<string> TextOfAsync() =>
            await redis.Commands.KeyTypeAsync($"status:{uid}") == RedisType.String ? (string?)await redis.Commands.StringGetAsync($"status:{uid}") ?? "" : "";
    }
}
