using StackExchange.Redis;
using StatusDaemon.Redis;
using StatusDaemon.Settings;

namespace StatusDaemon.Storage;

/// <summary>A Unix socket, a user with the rights that docs/operations.md names and no more, and another database than the first.</summary>
public sealed class RedisSocketStoreTests : RedisStatusStoreContract
{
    /// <summary>Of a user with a database of number 0.</summary>
    internal static readonly string[] Rights =
        ["~status:*", "~statusd:store*", "&__keyspace@0__:status:*", "&__keyspace@0__:statusd:store:*", "+@read", "+@write", "+@scripting", "+@connection", "+psubscribe", "+punsubscribe", "+info", "+wait", "+config|get", "+config|set"];

    private RedisProcess redis = null!;

    private protected override RedisOptions Options => new() { Unix = Path.Combine(redis.Folder, "redis.sock"), Database = 3, User = "statusd", Password = new Secret("secret") };

    private protected override IDatabase Others => redis.Server.Multiplexer.GetDatabase(3);

    public override async ValueTask InitializeAsync()
    {
        redis = await RedisProcess.StartAsync([.. RedisProcess.Durable, "--unixsocket", "redis.sock"]);
        await redis.Server.ExecuteAsync("ACL", ["SETUSER", "statusd", "on", ">secret", .. Rights.Select(right => right.Replace("@0__", "@3__", StringComparison.Ordinal))]);
    }

    public override ValueTask DisposeAsync() => redis.DisposeAsync();

    [Fact]
    public void The_rights_are_those_of_the_document() =>
        Assert.Contains(string.Join(' ', Rights), File.ReadAllText(Path.Combine(Repository.Root, "docs", "operations.md")), StringComparison.Ordinal);

    [Fact]
    public async Task Without_the_right_to_configure_it_is_enough_that_the_line_is_there()
    {
        await redis.Server.ExecuteAsync("ACL", "SETUSER", "statusd", "-config");
        await using var store = await OpenRedisAsync(Options);
        var seen = new List<ExternalStatus>();
        await Others.StringSetAsync("status:uid-1", "2");
        await WaitAsync(store, seen, () => seen.Count > 0);

        // Turned off at run time it is swept, and heard again when somebody turns it on.
        await redis.Server.ConfigSetAsync("notify-keyspace-events", "");
        await Others.StringSetAsync("status:uid-1", "3");
        await WaitAsync(store, seen, () => seen.Count > 1);
        while (store.Trouble is null)
        {
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }

        Assert.Contains("sends no notifications", store.Trouble, StringComparison.Ordinal);
        await Others.StringSetAsync("status:uid-1", "4");
        await WaitAsync(store, seen, () => seen.Count > 2);
        await redis.Server.ConfigSetAsync("notify-keyspace-events", "AK");
        while (store.Trouble is not null)
        {
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    private protected override Task FlushAsync() => redis.Server.FlushDatabaseAsync(3);
}
