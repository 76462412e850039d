using StatusDaemon.Bench;

// One entry a hot path, named after the type that it measures.
var benches = new Dictionary<string, Func<Task>>(StringComparer.OrdinalIgnoreCase)
{
    [nameof(FloodBench)] = FloodBench.RunAsync,
    [nameof(RouterBench)] = RouterBench.RunAsync,
    [nameof(RouterMemoryBench)] = RouterMemoryBench.RunAsync,
    [nameof(DirectorySnapshotBench)] = DirectorySnapshotBench.RunAsync,
    [nameof(RuleChangeBench)] = RuleChangeBench.RunAsync,
    [nameof(RedisDirectoryBench)] = RedisDirectoryBench.RunAsync,
    [nameof(RuleFlipBench)] = RuleFlipBench.RunAsync,
    [nameof(ExternalWritesBench)] = ExternalWritesBench.RunAsync,
    [nameof(ShardBatchBench)] = ShardBatchBench.RunAsync,
    [nameof(FanOutBench)] = FanOutBench.RunAsync,
    [nameof(SqliteStatusStoreBench)] = SqliteStatusStoreBench.RunAsync,
    [nameof(RedisStatusStoreBench)] = RedisStatusStoreBench.RunAsync,
    [nameof(FrameReaderBench)] = HotPath.RunAsync<FrameReaderBench>,
    [nameof(FrameWriterBench)] = HotPath.RunAsync<FrameWriterBench>,
    [nameof(RouterPublishBench)] = HotPath.RunAsync<RouterPublishBench>,
    [nameof(OutboxBench)] = HotPath.RunAsync<OutboxBench>,
};

var chosen = args is ["all"] ? [.. benches.Keys] : args;
if (chosen.Length == 0 || !chosen.All(benches.ContainsKey))
{
    Console.Error.WriteLine($"usage: dotnet run -c Release --project bench/StatusDaemon.Bench -- all | NAME...\n  {string.Join("\n  ", benches.Keys)}");
    return 2;
}

foreach (var name in chosen)
{
    Console.WriteLine($"== {name}");
    await benches[name]();
}

return 0;
