using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace StatusDaemon.Cluster;

/// <summary>Ends a process that was asked to stop, and has not within its time. Orleans would try for two minutes to tell a Redis that is away that it goes.</summary>
internal sealed partial class StopDeadline(
    ProcessEnd end, IHostApplicationLifetime host, IServiceProvider services, IOptions<HostOptions> options, TimeProvider time, ILogger<StopDeadline> log) : IHostedService, IDisposable
{
    /// <summary>What a stop that is given up gets beyond its time, to end by itself.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(5);

    private CancellationTokenRegistration begun;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        begun = host.ApplicationStopping.Register(() => _ = EndAsync(options.Value.ShutdownTimeout + Margin));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public void Dispose() => begun.Dispose();

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
        var hasFailed = services.GetServices<IHostedService>().OfType<BackgroundService>().Any(static service => service.ExecuteTask is { IsFaulted: true });
        end.Now(hasFailed ? 1 : 0);
    }

    [LoggerMessage(3506, LogLevel.Warning, "The stop has taken {Seconds} s, and is cut short. So it is while Redis is away; what is not saved yet is known to gateways in other processes alone")]
    private partial void LogLate(double seconds);
}
