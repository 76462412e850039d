using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace StatusDaemon.Cluster;

/// <summary>Ends a process that was asked to stop, and has not within its time. Orleans would try for two minutes to tell a Redis that is away that it goes.</summary>
internal sealed partial class StopDeadline(ProcessEnd end, IHostApplicationLifetime host, IOptions<HostOptions> options, TimeProvider time, ILogger<StopDeadline> log) : BackgroundService
{
    /// <summary>What a stop that is given up gets beyond its time, to end by itself.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stop)
    {
        host.ApplicationStopping.Register(() => _ = EndAsync(options.Value.ShutdownTimeout + Margin));
        return Task.CompletedTask;
    }

    private async Task EndAsync(TimeSpan limit)
    {
        try
        {
            await Task.Delay(limit, time, host.ApplicationStopped);
        }
        catch (OperationCanceledException)
        {
            return; // it has stopped
        }

        LogLate(limit.TotalSeconds);
        end.Now(exitCode: 0);
    }

    [LoggerMessage(3506, LogLevel.Warning, "The stop has taken {Seconds} s, as it does while Redis is away, and is cut short; the others find out by themselves that this daemon is gone")]
    private partial void LogLate(double seconds);
}
