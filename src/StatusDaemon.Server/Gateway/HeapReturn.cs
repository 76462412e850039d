using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace StatusDaemon.Gateway;

/// <summary>Gives the memory of a storm of connections back to the system when it is over.</summary>
/// <remarks>
/// What is left of a thousand handshakes is garbage that the collector sees no reason to collect while nothing happens, spread over a heap that has grown
/// for it. One compacting collection, at a moment when few come and go, is over before anybody looks at a lamp twice: docs/performance.md has its length.
/// </remarks>
internal sealed partial class HeapReturn(ConnectionCounts counts, TimeProvider time, ILogger<HeapReturn> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var storm = new Storm();
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            if (storm.IsOver(counts.Changes))
            {
                Collect();
            }
        }
    }

    private void Collect()
    {
        var before = Environment.WorkingSet;
        var began = Stopwatch.GetTimestamp();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        TrimNative();
        LogReturned(before >> 20, Environment.WorkingSet >> 20, (long)Stopwatch.GetElapsedTime(began).TotalMilliseconds);
    }

    /// <summary>Gives back what the C library keeps of freed memory: TLS and Kerberos take theirs there.</summary>
    private static void TrimNative()
    {
        try
        {
            _ = TrimMalloc(0);
        }
        catch (EntryPointNotFoundException)
        {
            // A C library without it, such as musl.
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int TrimMalloc(nuint pad);

    [LoggerMessage(2301, LogLevel.Information, "A storm of connections is over: {Before} MiB of memory became {After} in {Milliseconds} ms")]
    private partial void LogReturned(long before, long after, long milliseconds);
}
