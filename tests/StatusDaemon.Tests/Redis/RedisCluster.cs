using System.Globalization;
using System.Net;
using System.Text;
using StatusDaemon.Load;

namespace StatusDaemon.Redis;

/// <summary>A real Redis cluster of three servers, each of which owns a third of the slots; a replica only where a test adds one.</summary>
public sealed class RedisCluster : IAsyncLifetime
{
    private static readonly string[] Slots = ["0 5460", "5461 10922", "10923 16383"];

    private readonly List<RedisProcess> replicas = [];

    /// <summary>The servers.</summary>
    internal RedisProcess[] Servers { get; private set; } = [];

    /// <summary>How to reach it: one of the servers knows the others.</summary>
    internal RedisOptions Options => new() { Endpoints = [.. Servers.Take(2).Select(server => new DnsEndPoint("127.0.0.1", server.Port))] };

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        Servers = await Task.WhenAll(Slots.Select(_ => StartServerAsync()));
        foreach (var (server, slots) in Servers.Zip(Slots))
        {
            await server.Server.ExecuteAsync("CLUSTER", ["ADDSLOTSRANGE", .. slots.Split(' ')]);
            await MeetAsync(server);
        }

        await AgreesAsync();
    }

    /// <summary>The server that owns a key at the start.</summary>
    internal RedisProcess OwnerOf(string key) =>
        Servers[Array.FindIndex(Slots, slots => SlotOf(key) <= int.Parse(slots.Split(' ')[1], CultureInfo.InvariantCulture))];

    /// <summary>Gives one of the servers a replica, which the cluster promotes when that server dies; returns when it has everything and all know of it.</summary>
    internal async Task<RedisProcess> AddReplicaAsync(RedisProcess primary)
    {
        var replica = await StartServerAsync();
        replicas.Add(replica);
        await MeetAsync(replica);
        var id = (string)(await primary.Server.ExecuteAsync("CLUSTER", "MYID"))!;
        await UntilAsync(async () => (await NodesAsync(replica)).Contains(id, StringComparison.Ordinal));
        await replica.Server.ExecuteAsync("CLUSTER", "REPLICATE", id);
        await UntilAsync(replica.ReplicatesAsync);
        foreach (var server in Servers)
        {
            await UntilAsync(async () => (await NodesAsync(server)).Contains($"slave {id}", StringComparison.Ordinal));
        }

        await AgreesAsync();
        return replica;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var server in Servers.Concat(replicas))
        {
            await server.DisposeAsync();
        }
    }

    /// <summary>Asks until something is so; that it is is the event.</summary>
    internal static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (!await isSo())
        {
            await Task.Delay(20, patience.Token);
        }
    }

    /// <summary>Waits until every server finds the cluster whole.</summary>
    private async Task AgreesAsync()
    {
        foreach (var server in Servers.Concat(replicas))
        {
            await UntilAsync(async () => (string)(await server.Server.ExecuteAsync("CLUSTER", "INFO"))! is { } info
                && info.Contains("cluster_state:ok", StringComparison.Ordinal)
                && info.Contains("cluster_size:3", StringComparison.Ordinal));
        }
    }

    /// <summary>The slot of a key without braces, as the cluster's specification says: CRC16 of it.</summary>
    private static int SlotOf(string key)
    {
        var crc = 0;
        foreach (var octet in Encoding.UTF8.GetBytes(key))
        {
            crc ^= octet << 8;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 0x8000) == 0 ? crc << 1 : (crc << 1) ^ 0x1021;
            }
        }

        return crc & 0x3FFF;
    }

    private static Task<RedisProcess> StartServerAsync() => RedisProcess.StartAsync(
        [.. RedisProcess.Durable, "--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-port", FreePorts.Next().ToString(CultureInfo.InvariantCulture)]);

    private async Task MeetAsync(RedisProcess server) =>
        await server.Server.ExecuteAsync("CLUSTER", "MEET", "127.0.0.1", Servers[0].Port, await BusPortAsync(Servers[0]));

    private static async Task<string> NodesAsync(RedisProcess server) => (string)(await server.Server.ExecuteAsync("CLUSTER", "NODES"))!;

    private static async Task<int> BusPortAsync(RedisProcess server) =>
        int.Parse((await NodesAsync(server)).Split('\n').First(node => node.Contains("myself", StringComparison.Ordinal)).Split('@', ' ', ',')[2], CultureInfo.InvariantCulture);
}
