using System.Globalization;
using System.Net;
using StatusDaemon.Load;

namespace StatusDaemon.Redis;

/// <summary>A real Redis cluster of three servers, each of which owns a third of the slots.</summary>
public sealed class RedisCluster : IAsyncLifetime
{
    private static readonly string[] Slots = ["0 5460", "5461 10922", "10923 16383"];

    /// <summary>The servers.</summary>
    internal RedisProcess[] Servers { get; private set; } = [];

    /// <summary>How to reach it: one of the servers knows the others.</summary>
    internal RedisOptions Options => new() { Endpoints = [.. Servers.Take(2).Select(server => new DnsEndPoint("127.0.0.1", server.Port))] };

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        Servers = await Task.WhenAll(Slots.Select(_ => RedisProcess.StartAsync(
            [.. RedisProcess.Durable, "--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-port", FreePorts.Next().ToString(CultureInfo.InvariantCulture)])));
        foreach (var (server, slots) in Servers.Zip(Slots))
        {
            await server.Server.ExecuteAsync("CLUSTER", ["ADDSLOTSRANGE", .. slots.Split(' ')]);
            var bus = await BusPortAsync(Servers[0]);
            await server.Server.ExecuteAsync("CLUSTER", "MEET", "127.0.0.1", Servers[0].Port, bus);
        }

        await AgreesAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var server in Servers)
        {
            await server.DisposeAsync();
        }
    }

    /// <summary>Waits until every server finds the cluster whole.</summary>
    private async Task AgreesAsync()
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(20));
        foreach (var server in Servers)
        {
            while (((string?)await server.Server.ExecuteAsync("CLUSTER", "INFO"))?.Contains("cluster_state:ok", StringComparison.Ordinal) != true
                || ((string?)await server.Server.ExecuteAsync("CLUSTER", "INFO"))?.Contains("cluster_size:3", StringComparison.Ordinal) != true)
            {
                await Task.Delay(20, patience.Token);
            }
        }
    }

    private static async Task<int> BusPortAsync(RedisProcess server) =>
        int.Parse(((string)(await server.Server.ExecuteAsync("CLUSTER", "NODES"))!).Split('@', ' ', ',')[2], CultureInfo.InvariantCulture);
}
