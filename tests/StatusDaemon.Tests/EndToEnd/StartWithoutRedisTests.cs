using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using StatusDaemon.Auth;
using StatusDaemon.Redis;
using StatusDaemon.Settings;

namespace StatusDaemon.EndToEnd;

/// <summary>The real program with statuses and privileges in a Redis that nobody has started yet.</summary>
public sealed class StartWithoutRedisTests : IAsyncLifetime
{
    private readonly TempFolder folder = new();
    private readonly byte[] key = RandomNumberGenerator.GetBytes(32);
    private RedisProcess redis = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllBytesAsync(folder["keytab"], ForgedTicket.Keytab(key, 1, "HTTP/localhost"));
        redis = await RedisProcess.StartAsync(RedisProcess.Durable);
        await redis.KillAsync(); // its port is free
    }

    public async ValueTask DisposeAsync()
    {
        await redis.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task It_waits_says_why_once_and_serves_when_redis_is_started_and_filled()
    {
        await using var server = await StatusdProcess.LaunchAsync(
            string.Create(CultureInfo.InvariantCulture, $$"""
                AUTH: { keytab: {{folder["keytab"]}}, servicename: HTTP@localhost }
                STORAGE: { kind: redis, flush: 50ms }
                REDIS: { port: {{redis.Port}} }
                PRIVILEGES: { source: redis }
                PRIVILEGE_REDIS: { port: {{redis.Port}} }

                """),
            directory: "");
        await server.SeesAsync("status-daemon is up");
        await server.SeesAsync(" 4101 ");
        await server.SeesAsync(" 5101 ");
        await Task.Delay(TimeSpan.FromSeconds(1), Stop); // it tries again some five times
        foreach (var id in (string[])[" 4101 ", " 5101 "])
        {
            var line = Assert.Single(server.Output.Split('\n'), line => line.Contains(id, StringComparison.Ordinal));
            Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"Redis at 127.0.0.1:{redis.Port} can't be reached. (Connection refused"), line, StringComparison.Ordinal);
        }

        Assert.Equal(
            "waiting for the directory\ndirectory: the privilege database is away; the log says why (event 5101)\nstorage: Redis is away; the log says why (event 4101)\n",
            await server.AskReadyAsync(HttpStatusCode.ServiceUnavailable));
        using (var http = new HttpClient())
        using (var login = new HttpRequestMessage(HttpMethod.Get, server.Address("127.0.0.1", "/pubsub")))
        {
            login.Headers.Add("Authorization", $"Negotiate {Convert.ToBase64String(Ticket("a").ToToken())}");
            login.Headers.Add("Connection", "Upgrade");
            login.Headers.Add("Upgrade", "websocket");
            login.Headers.Add("Sec-WebSocket-Version", "13");
            login.Headers.Add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
            using var answer = await http.SendAsync(login, Stop);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.NotNull(answer.Headers.RetryAfter);
        }

        // An empty database has nobody to let in; then the privilege service fills it.
        await redis.StartAgainAsync();
        await server.SeesAsync(" 4102 ");
        await server.SeesAsync(" 5102 ");
        Assert.StartsWith("waiting for the directory\n", await server.AskReadyAsync(HttpStatusCode.ServiceUnavailable), StringComparison.Ordinal);
        await redis.TellAsync("SET dname:a@ALPHA.TEST uid-a", "SET dname:b@ALPHA.TEST uid-b", "SADD black:uid-b uid-a");
        await server.ReadyAsync();
        Assert.Equal("ready\n", await server.AskReadyAsync());

        await using var a = await TestSocket.ConnectAsync(server, Ticket("a"));
        await using var b = await TestSocket.ConnectAsync(server, Ticket("b"));
        Assert.Equal("""{"status":8,"publisher":"uid-a"}""", await b.WatchAsync("uid-a"));
        Assert.Equal("""{"status":8,"publisher":"uid-b"}""", await a.WatchAsync("uid-b"));
        await redis.TellAsync("SET status:uid-a 3");
        Assert.Equal("""{"status":3,"publisher":"uid-a"}""", await b.ReceiveAsync());
        await b.SendAsync("""{"status":2}""");
        await RedisCluster.UntilAsync(async () => (await redis.TellAsync("GET status:uid-b"))[0].StartsWith("""{"status":2,"publisher":"uid-b",""", StringComparison.Ordinal));
        await redis.TellAsync("SREM black:uid-b uid-a");
        Assert.Equal("""{"status":2,"publisher":"uid-b"}""", await a.ReceiveAsync());
    }

    private ForgedTicket Ticket(string user) => ForgedTicket.Good(key) with { Client = user };
}
