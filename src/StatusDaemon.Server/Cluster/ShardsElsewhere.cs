using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace StatusDaemon.Cluster;

/// <summary>Daemons in other processes. A host of its own has the client, so that this process serves and says what it waits for while no daemon is there.</summary>
internal sealed partial class ShardsElsewhere(IMembership membership, string clusterId, MemberCertificates certificates, TimeProvider time, ILoggerFactory logs, ILogger<ShardsElsewhere> log) : IShardAccess, IAsyncDisposable
{
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(200);

    /// <summary>How long it may look without a word.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(1);

    private IHost? host;

    /// <inheritdoc/>
    public TimeSpan Heartbeat => ClusterHosting.Heartbeat;

    /// <inheritdoc/>
    public async Task<IClusterClient> ConnectAsync(CancellationToken stop)
    {
        for (var isTold = false; ; isTold = true)
        {
            var builder = Host.CreateEmptyApplicationBuilder(null);
            builder.Services.AddSingleton(logs);
            builder.AddClusterClient(clusterId, membership.Find, certificates);
            var made = builder.Build();
            try
            {
                await membership.CheckAsync(stop);
                var starting = made.StartAsync(stop);
                if (!isTold && await Task.WhenAny(starting, Task.Delay(Silence, time, stop)) != starting && !stop.IsCancellationRequested)
                {
                    isTold = true;
                    LogWaits($"none says in {membership.Place} where it is, or none answers there");
                }

                await starting;
                host = made;
                if (isTold)
                {
                    LogReached();
                }

                return made.Services.GetRequiredService<IClusterClient>();
            }
            catch (Exception e)
            {
                made.Dispose();
                if (stop.IsCancellationRequested || e.GetBaseException() is ShardCountException)
                {
                    throw;
                }

                if (!isTold)
                {
                    LogWaits(e.Message);
                }
            }

            await Task.Delay(Retry, time, stop);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (host is not null)
        {
            await host.StopAsync();
            host.Dispose();
        }
    }

    [LoggerMessage(3401, LogLevel.Warning, "No daemon is reached, and looked for until there is one: {Reason}")]
    private partial void LogWaits(string reason);

    [LoggerMessage(3402, LogLevel.Information, "A daemon is reached")]
    private partial void LogReached();
}
