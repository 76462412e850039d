using System.Diagnostics;
using System.Globalization;
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

    private const int Heard = 300_000;

    public static async Task RunAsync()
    {
        await using var redis = await PrivilegeRedis.StartAsync();
        var options = new StatusRedisOptions { Server = new RedisOptions { Port = redis.Port } };
        await using var store = await RedisStatusStore.OpenAsync(options, shards: 32, cluster: "", new UidTable(), TimeProvider.System, NullLogger<RedisStatusStore>.Instance, CancellationToken.None);
        var bench = new StoreBench(store);
        await Measure.RateAsync("statuses written, all at once, the first time", StoreBench.Records, bench.FillAsync);
        var (before, written) = (Environment.CpuUsage.TotalTime, 0);
        await Measure.RateAsync("statuses written, all at once, the second time", StoreBench.Records, () =>
        {
            written += StoreBench.Records;
            return bench.FillAsync();
        });
        Print("  processor time of this process for each", Environment.CpuUsage.TotalTime - before, written);
        await HearAsync(redis.Port);
        await Measure.RateAsync("plain SETs", StoreBench.Records, () => SetAsync(redis.Commands));
        await bench.RunAsync();
    }

    /// <summary>What a ring costs whose shard is at another daemon: each daemon hears those of all.</summary>
    private static async Task HearAsync(int port)
    {
        var before = Environment.CpuUsage.TotalTime;
        using var writer = Process.Start(
            new ProcessStartInfo("redis-benchmark", ["-p", $"{port}", "-n", $"{Heard}", "-P", "32", "-r", "100000", "-q", "SET", "status:uid-__rand_int__", "{\"status\":1}"]) { RedirectStandardOutput = true })!;
        await writer.StandardOutput.ReadToEndAsync();
        await writer.WaitForExitAsync();
        await Task.Delay(TimeSpan.FromSeconds(2)); // what is still on its way, and some idling, is little beside it
        Print("processor time for each ring of another daemon's", Environment.CpuUsage.TotalTime - before, Heard);
    }

    private static void Print(string what, TimeSpan used, int count) => Measure.Print(what, string.Create(CultureInfo.InvariantCulture, $"{used.TotalMicroseconds / count:F1} us"));

    private static async Task SetAsync(IDatabase commands)
    {
        var value = new string('x', 230);
        foreach (var chunk in Enumerable.Range(0, StoreBench.Records).Chunk(Pipelined))
        {
            await Task.WhenAll(chunk.Select(i => commands.StringSetAsync($"plain:{BenchUids.Of(i)}", value)));
        }
    }
}
