using System.Globalization;
using System.Security.Cryptography;
using StatusDaemon.Auth;
using StatusDaemon.Redis;
using StatusDaemon.Settings;

namespace StatusDaemon.EndToEnd;

/// <summary>The real program over a real Redis, with a keytab of its own: whoever has the key makes tickets, so no KDC is needed.</summary>
internal sealed class RedisServer : IAsyncDisposable
{
    private readonly TempFolder folder = new();
    private readonly byte[] key = RandomNumberGenerator.GetBytes(32);
    private StatusdProcess? statusd;

    private RedisServer()
    {
    }

    /// <summary>The program.</summary>
    public StatusdProcess Statusd => statusd!;

    /// <summary>Starts the program; returns when it is ready.</summary>
    /// <param name="storage">More of <c>STORAGE</c>.</param>
    public static async Task<RedisServer> StartAsync(RedisProcess redis, string storage = "", string directory = StatusdProcess.Directory)
    {
        var server = new RedisServer();
        server.statusd = await StatusdProcess.StartAsync(server.SettingsFor(redis, storage: storage), directory);
        return server;
    }

    /// <summary>Starts the program over a Redis that is not there; returns when it listens.</summary>
    public static async Task<RedisServer> StartWithoutAsync(RedisProcess redis)
    {
        var server = new RedisServer();
        server.statusd = await StatusdProcess.LaunchAsync(server.SettingsFor(redis), StatusdProcess.Directory);
        await server.Statusd.SeesAsync("status-daemon is up");
        return server;
    }

    /// <summary>Starts the program over a Redis that it can't start with.</summary>
    /// <returns>Its exit code, and what it printed.</returns>
    public static async Task<(int ExitCode, string Output)> FailAsync(RedisProcess redis, string more = "")
    {
        await using var server = new RedisServer();
        return await StatusdProcess.FailAsync(server.SettingsFor(redis, more));
    }

    /// <summary>Connects a subscriber by the name before the realm.</summary>
    public Task<TestSocket> ConnectAsync(string user) =>
        TestSocket.ConnectAsync(Statusd, ForgedTicket.Good(key) with { Client = user });

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (statusd is not null)
        {
            await statusd.DisposeAsync();
        }

        folder.Dispose();
    }

    private string SettingsFor(RedisProcess redis, string more = "", string storage = "")
    {
        File.WriteAllBytes(folder["keytab"], ForgedTicket.Keytab(key, 1, "HTTP/localhost"));
        return string.Create(CultureInfo.InvariantCulture, $$"""
            AUTH: { keytab: {{folder["keytab"]}}, servicename: HTTP@localhost }
            STORAGE: { kind: redis, flush: 50ms{{storage}} }
            REDIS: { port: {{redis.Port}}{{more}} }

            """);
    }
}
