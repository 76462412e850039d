using StatusDaemon.Settings;

namespace StatusDaemon.Redis;

/// <summary>The way to a real redis-server of each test.</summary>
public sealed class RedisConnectionTests : IAsyncLifetime
{
    private RedisProcess redis = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        redis = await RedisProcess.StartAsync();
        await redis.Server.ExecuteAsync("ACL", "SETUSER", "statusd", "on", ">right", "allkeys", "allchannels", "+@all"); // and the default user needs no password
    }

    public ValueTask DisposeAsync() => redis.DisposeAsync();

    [Fact]
    public async Task Who_is_refused_does_not_go_on_as_the_default_user_however_often_it_tries()
    {
        await using var connection = new RedisConnection(new RedisOptions { Port = redis.Port, User = "statusd", Password = new Secret("wrong") }, "REDIS");
        for (var i = 0; i < 3; i++)
        {
            var refusal = await Assert.ThrowsAsync<RedisAwayException>(() => connection.ConnectAsync(Stop));
            Assert.True(refusal.IsRefusal, refusal.Message);
            Assert.Contains("set REDIS.user and REDIS.password", refusal.Message, StringComparison.Ordinal);
            Assert.Throws<RedisAwayException>(() => connection.Commands);
        }

        await IsLeftAsync().WaitAsync(TimeSpan.FromSeconds(30), Stop);
        await redis.Server.ExecuteAsync("ACL", "SETUSER", "statusd", ">wrong");
        await connection.ConnectAsync(Stop);
        Assert.Equal("statusd", await WhoAmIAsync(connection));
    }

    [Fact]
    public async Task Whose_user_is_gone_does_not_go_on_as_the_default_user()
    {
        const int Refusals = 5;
        await using var connection = new RedisConnection(new RedisOptions { Port = redis.Port, User = "statusd", Password = new Secret("right") }, "REDIS");
        await connection.ConnectAsync(Stop);
        Assert.Equal("statusd", await WhoAmIAsync(connection));
        await redis.Server.ExecuteAsync("ACL", "DELUSER", "statusd"); // which ends its connections; the library makes them anew
        for (var refused = 0; refused < Refusals;)
        {
            await Task.Delay(RedisConnection.Retry, Stop);
            try
            {
                await connection.ConnectAsync(Stop);
                Assert.NotEqual("default", await WhoAmIAsync(connection));
            }
            catch (RedisAwayException e)
            {
                refused += e.IsRefusal ? 1 : 0;
            }
        }

        await redis.Server.ExecuteAsync("ACL", "SETUSER", "statusd", "on", ">right", "allkeys", "allchannels", "+@all");
        await connection.ConnectAsync(Stop);
        Assert.Equal("statusd", await WhoAmIAsync(connection));
    }

    private static Task<string?> WhoAmIAsync(RedisConnection connection) => connection.RunAsync(async commands => (string?)await commands.ExecuteAsync("ACL", "WHOAMI"));

    /// <summary>Waits until nothing is connected under the name that the program gives itself.</summary>
    private async Task IsLeftAsync()
    {
        while (((string?)await redis.Server.ExecuteAsync("CLIENT", "LIST"))!.Contains("name=statusd ", StringComparison.Ordinal))
        {
            await Task.Delay(20, Stop);
        }
    }
}
