using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Core.Internal;
using StatusDaemon.Cluster;

namespace StatusDaemon.EndToEnd;

/// <summary>A whole server in this process, whose shard Orleans takes down and starts anew while clients talk to it.</summary>
public sealed class ShardReactivationTests
{
    private const int Publishers = 8;
    private const int Reactivations = 10;
    private static readonly string[] Names = [.. Enumerable.Range(0, Publishers).Select(i => $"uid-{i}")];

    [Fact]
    public async Task A_shard_that_starts_anew_under_load_loses_no_watch_and_no_status_and_turns_no_order()
    {
        await using var server = await ServerHere.StartAsync();
        var port = server.Port;
        await using var watcher = await TestSocket.ConnectAsync(port, "watcher");
        await watcher.SendAsync("{\"events\":{" + string.Join(',', Names.Select(name => $"\"{name}\":9")) + "}}");
        using var stop = new CancellationTokenSource();
        var publishing = Names.Select(name => PublishAsync(port, name, stop.Token)).ToArray();
        var seen = Names.ToDictionary(name => name, _ => 0);
        var shard = server.Services.GetRequiredService<IClusterClient>().GetGrain<IShardGrain>(0).AsReference<IGrainManagementExtension>();
        var epoch = await NextEpochAsync(server);
        for (var i = 0; i < Reactivations; i++)
        {
            await shard.DeactivateOnIdle(TestContext.Current.CancellationToken);
            var then = new Dictionary<string, int>(seen);
            await SeeAsync(watcher, seen, () => Names.All(name => seen[name] >= then[name] + 50));
        }

        await stop.CancelAsync();
        var sent = await Task.WhenAll(publishing);
        await SeeAsync(watcher, seen, () => Names.Zip(sent).All(pair => seen[pair.First] == pair.Second));

        Assert.InRange(await NextEpochAsync(server), epoch + Reactivations, long.MaxValue);
        await using var late = await TestSocket.ConnectAsync(port, "late");
        foreach (var (name, number) in Names.Zip(sent))
        {
            Assert.Equal($$"""{"status":{{StatusOf(number)}},"publisher":"{{name}}","timestamp":{{number}}}""", await late.WatchAsync(name));
        }
    }

    private static int StatusOf(int number) => (number % 8) + 1;

    private static Task<long> NextEpochAsync(ServerHere server) =>
        server.Services.GetRequiredService<ShardServices>().Store.NextEpochAsync(0, TestContext.Current.CancellationToken);

    /// <summary>Publishes numbers, the next one when it sees the last.</summary>
    /// <returns>The last.</returns>
    private static async Task<int> PublishAsync(int port, string name, CancellationToken stop)
    {
        await using var client = await TestSocket.ConnectAsync(port, name);
        await client.WatchAsync(name);
        var number = 0;
        while (!stop.IsCancellationRequested)
        {
            number++;
            await client.SendAsync($$"""{"status":{{StatusOf(number)}},"timestamp":{{number}}}""");
            while (NumberOf(await client.ReceiveAsync()).Number != number)
            {
                // A shard that starts anew tells the last one again.
            }
        }

        return number;
    }

    /// <summary>Notes what the watcher is told until it is enough, and that it never goes back.</summary>
    private static async Task SeeAsync(TestSocket watcher, Dictionary<string, int> seen, Func<bool> isEnough)
    {
        while (!isEnough())
        {
            var (publisher, number) = NumberOf(await watcher.ReceiveAsync());
            Assert.InRange(number, seen[publisher], int.MaxValue);
            seen[publisher] = number;
        }
    }

    /// <returns>0 for the status of somebody who has not published.</returns>
    private static (string Publisher, int Number) NumberOf(string? message)
    {
        using var json = JsonDocument.Parse(message!);
        var number = json.RootElement.TryGetProperty("timestamp", out var timestamp) ? timestamp.GetInt32() : 0;
        return (json.RootElement.GetProperty("publisher").GetString()!, number);
    }
}
