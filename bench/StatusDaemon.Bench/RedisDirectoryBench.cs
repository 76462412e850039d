using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using StatusDaemon.Directories;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Redis;

namespace StatusDaemon.Bench;

/// <summary>A privilege database of 100,000 subscribers: how long it takes to read, what is kept of it, what reading it again costs, and how late a rule is.</summary>
internal static class RedisDirectoryBench
{
    private const int People = 100_000;
    private const int FlipsPerSecond = 1000;
    private static readonly TimeSpan Flipping = TimeSpan.FromSeconds(10);

    public static async Task RunAsync()
    {
        await using var redis = await PrivilegeRedis.StartAsync();
        await redis.FillAsync(People);
        var options = new PrivilegeRedisOptions { Server = new RedisOptions { Port = redis.Port } };
        await (await OpenAsync(options)).DisposeAsync(); // warm
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var start = Stopwatch.GetTimestamp();
        await using var directory = await OpenAsync(options);
        Print("read at the start", $"{Stopwatch.GetElapsedTime(start).TotalSeconds,12:F2} s");
        Print("live heap of a subscriber", $"{(double)(GC.GetTotalMemory(forceFullCollection: true) - before) / People,12:N0} bytes");
        Print("resident memory of the process", $"{Environment.WorkingSet / 1048576.0,12:N0} MiB");

        await directory.StartAsync(CancellationToken.None);
        for (var round = 0; round < 3; round++)
        {
            var (cpu, allocated) = (Process.GetCurrentProcess().TotalProcessorTime, GC.GetTotalAllocatedBytes());
            start = Stopwatch.GetTimestamp();
            await directory.RefreshAsync(CancellationToken.None);
            Print("read again, nothing new", $"{Stopwatch.GetElapsedTime(start).TotalSeconds,12:F2} s, {(Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalSeconds:F2} s of CPU, {(GC.GetTotalAllocatedBytes() - allocated) / 1048576.0:N0} MiB of garbage");
        }

        await FlipAsync(redis, directory);
    }

    private static async Task FlipAsync(PrivilegeRedis redis, RedisDirectory directory)
    {
        using var stop = new CancellationTokenSource();
        var sent = new ConcurrentDictionary<Uid, long>(Uid.Comparer);
        List<double> delays = [];
        var snapshots = 0;
        var following = Task.Run(async () =>
        {
            var last = directory.Current;
            await foreach (var snapshot in directory.FollowAsync(stop.Token))
            {
                snapshots++;
                foreach (var uid in DirectoryChange.Between(last, snapshot).RulesChanged)
                {
                    delays.Add(Stopwatch.GetElapsedTime(sent[uid]).TotalMilliseconds);
                }

                last = snapshot;
            }
        });
        var start = Stopwatch.GetTimestamp();
        for (var flip = 0; Stopwatch.GetElapsedTime(start) < Flipping; flip++)
        {
            for (var due = TimeSpan.FromSeconds((double)flip / FlipsPerSecond); Stopwatch.GetElapsedTime(start) < due;)
            {
                await Task.Delay(1);
            }

            var uid = PrivilegeRedis.UidOf(flip % People);
            sent[BenchUids.Parse(uid)] = Stopwatch.GetTimestamp();
            _ = redis.Commands.SetAddAsync($"black:{uid}", "somebody");
        }

        while (directory.Lag > TimeSpan.Zero)
        {
            await Task.Delay(1);
        }

        await Task.Delay(100);
        await stop.CancelAsync();
        await following.ContinueWith(_ => { }, TaskScheduler.Default);
        delays.Sort();
        Print($"{FlipsPerSecond} rules a second, until in force", $"{delays[delays.Count / 2],12:F1} ms (median), {delays[delays.Count * 99 / 100]:F1} ms (p99), {delays[^1]:F1} ms (worst) of {delays.Count}, in {snapshots} snapshots");
    }

    private static Task<RedisDirectory> OpenAsync(PrivilegeRedisOptions options) =>
        RedisDirectory.OpenAsync(options, new DirectoryPolicy(), realm: null, TimeProvider.System, NullLogger<RedisDirectory>.Instance, CancellationToken.None);

    private static void Print(string what, FormattableString result) => Measure.Print(what, result.ToString(CultureInfo.InvariantCulture));
}
