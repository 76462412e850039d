using System.Globalization;
using StatusDaemon.Bench;

// A number beside the names is for RedisOutageBench, where it is seconds, and for RouterMemoryBench and RouterRebuildBench, where it is subscribers. ScaleBench takes up to five.
var given = args.Where(arg => int.TryParse(arg, NumberStyles.None, CultureInfo.InvariantCulture, out _)).ToArray();
int[] numbers = [.. given.Select(arg => int.Parse(arg, CultureInfo.InvariantCulture))];
var names = args.Except(given).ToArray();
var isScale = names is [var name] && name.Equals(nameof(ScaleBench), StringComparison.OrdinalIgnoreCase);
var outage = TimeSpan.FromSeconds(numbers is [var seconds, ..] ? seconds : 60);
var people = numbers is [var some, ..] ? some : 1_000_000;

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
    [nameof(ScaleBench)] = () => ScaleBench.RunAsync(isScale ? numbers : []),
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

var chosen = names is ["all"] ? [.. benches.Keys] : names;
if (numbers.Length > (isScale ? 5 : 1) || chosen.Length == 0 || !chosen.All(benches.ContainsKey))
{
    Console.Error.WriteLine($"usage: dotnet run -c Release --project bench/StatusDaemon.Bench -- all | NAME... [SECONDS of the outage, or SUBSCRIBERS]\n       … ScaleBench SUBSCRIBERS [DAEMONS [GATEWAYS [WATCHES [CHANGES of each in the busy hour]]]]\n  {string.Join("\n  ", benches.Keys)}");
    return 2;
}

foreach (var bench in chosen)
{
    Console.WriteLine($"== {bench}");
    try
    {
        await benches[bench]();
    }
    catch (ViolationException e)
    {
        Console.Error.WriteLine(e.Message);
        return 1;
    }
}

return 0;
