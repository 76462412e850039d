using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;
using StatusDaemon.Names;
using StatusDaemon.Redis;
using StatusDaemon.Storage;

namespace StatusDaemon.Bench;

/// <summary>The store in a Redis on loopback that keeps nothing: writes by batch size, scans, single reads, beside plain SETs of as long values by the same library.</summary>
internal static class RedisStatusStoreBench
{
    /// <summary>As many as the store has under way.</summary>
    private const int Pipelined = 1024;

    public static async Task RunAsync()
    {
        await using var redis = await PrivilegeRedis.StartAsync();
        var options = new StatusRedisOptions { Server = new RedisOptions { Port = redis.Port } };
        await using var store = await RedisStatusStore.OpenAsync(options, shards: 32, cluster: "", new UidTable(), TimeProvider.System, NullLogger<RedisStatusStore>.Instance, CancellationToken.None);
        var bench = new StoreBench(store);
        await Measure.RateAsync("statuses written, all at once, the first time", StoreBench.Records, bench.FillAsync);
        await Measure.RateAsync("statuses written, all at once, the second time", StoreBench.Records, bench.FillAsync);
        await Measure.RateAsync("plain SETs", StoreBench.Records, () => SetAsync(redis.Commands));
        await bench.RunAsync();
    }

    private static async Task SetAsync(IDatabase commands)
    {
        var value = new string('x', 230);
        foreach (var chunk in Enumerable.Range(0, StoreBench.Records).Chunk(Pipelined))
        {
            await Task.WhenAll(chunk.Select(i => commands.StringSetAsync($"plain:{BenchUids.Of(i)}", value)));
        }
    }
}
