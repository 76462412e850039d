using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace StatusDaemon.Bench;

/// <summary>Runs what takes nanoseconds under BenchmarkDotNet.</summary>
internal static class HotPath
{
    /// <summary>Runs all benchmarks of a class, in this process: its settings are the server's, and nothing is built anew.</summary>
    public static Task RunAsync<T>()
    {
        BenchmarkRunner.Run<T>(DefaultConfig.Instance
            .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
            .AddDiagnoser(MemoryDiagnoser.Default)
            .WithArtifactsPath(Path.Combine(Path.GetTempPath(), "statusd-bench")));
        return Task.CompletedTask;
    }
}
