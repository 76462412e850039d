using System.Globalization;
using System.Security.Cryptography;
using StatusDaemon.Auth;
using StatusDaemon.Cluster;
using StatusDaemon.Redis;
using StatusDaemon.Settings;

namespace StatusDaemon.EndToEnd;

/// <summary>Members of one cluster in processes of their own, as on several machines: one Redis, one authority, and a state of its own for each.</summary>
internal sealed class ClusterMembers : IAsyncDisposable
{
    private readonly TempFolder folder = new();
    private readonly byte[] key = RandomNumberGenerator.GetBytes(32);
    private StatusdProcess files = null!;
    private int members;

    private ClusterMembers(RedisProcess redis) => Redis = redis;

    /// <summary>Where statuses are, and who is there.</summary>
    public RedisProcess Redis { get; }

    /// <summary>Writes the files that all members share.</summary>
    /// <param name="more">More sections of the settings.</param>
    public static async Task<ClusterMembers> PrepareAsync(string more = "", string directory = StatusdProcess.Directory)
    {
        var cluster = new ClusterMembers(await RedisProcess.StartAsync(RedisProcess.Durable));
        using var authority = new TestAuthority();
        var tls = authority.Write(cluster.folder.Path, authority.SignMember());
        await File.WriteAllBytesAsync(cluster.folder["keytab"], ForgedTicket.Keytab(cluster.key, 1, "HTTP/localhost"));
        cluster.files = await StatusdProcess.PrepareAsync(string.Create(CultureInfo.InvariantCulture, $$"""
            AUTH: { keytab: {{cluster.folder["keytab"]}}, servicename: HTTP@localhost }
            STORAGE: { kind: redis, flush: 50ms }
            REDIS: { port: {{cluster.Redis.Port}} }
            CLUSTER: { kind: redis, tls: { certificate: {{tls.Certificate}}, key: {{tls.Key}}, authority: {{tls.Authority}} } }

            """) + more, directory);
        return cluster;
    }

    /// <summary>Starts a member, and waits for nothing.</summary>
    /// <param name="module">As on the command line: <c>daemon</c>, <c>ws-server</c> or <c>up</c>.</param>
    public StatusdProcess Launch(string module, IReadOnlyDictionary<string, string>? environment = null) => files.Launch(
        module, new Dictionary<string, string>(environment ?? new Dictionary<string, string>()) { ["STATUSD_STATE__PATH"] = folder[$"var-{Interlocked.Increment(ref members)}"] });

    /// <summary>Starts a daemon; returns when it takes others in.</summary>
    /// <param name="directory">Path of a directory file of its own; null for the one that all others have.</param>
    public async Task<StatusdProcess> StartDaemonAsync(string? directory = null)
    {
        var daemon = Launch("daemon", directory is null ? null : new Dictionary<string, string> { ["STATUSD_PRIVILEGES__FILE"] = directory });
        await daemon.SeesAsync("The daemon is up");
        return daemon;
    }

    /// <summary>Starts a member with a gateway; returns when it has reached all shards.</summary>
    public async Task<StatusdProcess> StartGatewayAsync(string module = "ws-server")
    {
        var gateway = Launch(module);
        await gateway.ReadyAsync();
        return gateway;
    }

    /// <summary>Connects a subscriber by the name before the realm.</summary>
    public Task<TestSocket> ConnectAsync(StatusdProcess gateway, string user) => TestSocket.ConnectAsync(gateway, ForgedTicket.Good(key) with { Client = user });

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await files.DisposeAsync();
        await Redis.DisposeAsync();
        folder.Dispose();
    }
}
