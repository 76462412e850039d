using System.Globalization;
using StatusDaemon.Bench;

// A number beside the names is for RedisOutageBench, where it is seconds, and for RouterMemoryBench and RouterRebuildBench, where it is subscribers.
var numbers = args.Where(arg => int.TryParse(arg, NumberStyles.None, CultureInfo.InvariantCulture, out _)).ToArray();
var number = numbers is [var only] ? int.Parse(only, CultureInfo.InvariantCulture) : (int?)null;
var outage = TimeSpan.FromSeconds(number ?? 60);
var people = number ?? 1_000_000;

// One entry a hot path, named after the type that it measures.
var benches = new Dictionary<string, Func<Task>>(StringComparer.OrdinalIgnoreCase)
{
    [nameof(FloodBench)] = FloodBench.RunAsync,
    [nameof(RouterBench)] = RouterBench.RunAsync,
    [nameof(RouterMemoryBench)] = () => RouterMemoryBench.RunAsync(people),
    [nameof(RouterRebuildBench)] = () => RouterRebuildBench.RunAsync(people),
    [nameof(DirectorySnapshotBench)] = DirectorySnapshotBench.RunAsync,
    [nameof(RuleChangeBench)] = RuleChangeBench.RunAsync,
    [nameof(RedisDirectoryBench)] = RedisDirectoryBench.RunAsync,
    [nameof(RuleFlipBench)] = RuleFlipBench.RunAsync,
    [nameof(ExternalWritesBench)] = ExternalWritesBench.RunAsync,
    [nameof(RedisOutageBench)] = () => RedisOutageBench.RunAsync(outage),
    [nameof(ScaleBench)] = ScaleBench.RunAsync,
    [nameof(ShardCallsBench)] = ShardCallsBench.RunAsync,
    [nameof(ShardBatchBench)] = ShardBatchBench.RunAsync,
    [nameof(FanOutBench)] = FanOutBench.RunAsync,
    [nameof(SqliteStatusStoreBench)] = SqliteStatusStoreBench.RunAsync,
    [nameof(RedisStatusStoreBench)] = RedisStatusStoreBench.RunAsync,
    [nameof(FrameReaderBench)] = HotPath.RunAsync<FrameReaderBench>,
    [nameof(FrameWriterBench)] = HotPath.RunAsync<FrameWriterBench>,
    [nameof(RouterPublishBench)] = HotPath.RunAsync<RouterPublishBench>,
    [nameof(OutboxBench)] = HotPath.RunAsync<OutboxBench>,
};

var names = args.Except(numbers).ToArray();
var chosen = names is ["all"] ? [.. benches.Keys] : names;
if (numbers.Length > 1 || chosen.Length == 0 || !chosen.All(benches.ContainsKey))
{
    Console.Error.WriteLine($"usage: dotnet run -c Release --project bench/StatusDaemon.Bench -- all | NAME... [SECONDS of the outage, or SUBSCRIBERS]\n  {string.Join("\n  ", benches.Keys)}");
    return 2;
}

foreach (var name in chosen)
{
    Console.WriteLine($"== {name}");
    try
    {
        await benches[name]();
    }
    catch (ViolationException e)
    {
        Console.Error.WriteLine(e.Message);
        return 1;
    }
}

return 0;
