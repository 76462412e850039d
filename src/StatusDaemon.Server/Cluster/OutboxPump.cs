using System.Security.Cryptography;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StatusDaemon.Daemon;
using StatusDaemon.Routing;

namespace StatusDaemon.Cluster;

/// <summary>Carries each outbox of this daemon to its gateway: one acknowledged batch outstanding, the same again until it is acknowledged.</summary>
/// <remarks>A gateway that takes nothing for <see cref="GiveUp"/> is given up: what waits for it is dropped, and it must declare itself anew.</remarks>
internal sealed partial class OutboxPump(Outboxes outboxes, SteadyClock clock, IHostApplicationLifetime lifetime, ILogger<OutboxPump> log)
{
    /// <summary>How long a batch is tried, and how long a gateway may be unheard before its outbox is closed.</summary>
    public static readonly TimeSpan GiveUp = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    /// <summary>Opens the outbox of a gateway that declares itself, unless it is open.</summary>
    public void Open(GatewayId gateway, IGatewayObserver observer)
    {
        if (outboxes.Find(gateway) is null)
        {
            var outbox = new Outbox(BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)))) { HeardAt = clock.Now.Steady };
            if (outboxes.TryAdd(gateway, outbox))
            {
                _ = RunAsync(gateway, outbox, observer, lifetime.ApplicationStopped);
            }
        }
    }

    private async Task RunAsync(GatewayId gateway, Outbox outbox, IGatewayObserver observer, CancellationToken stop)
    {
        try
        {
            while (await outbox.WaitAsync(GiveUp, stop) || clock.Now.Steady - outbox.HeardAt < GiveUp)
            {
                while (outbox.Take() is { } batch)
                {
                    if (!await DeliverAsync(gateway, observer, new Payload(batch.ToBytes()), stop))
                    {
                        LogGivenUp(gateway, outbox.Count);
                        return;
                    }
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The host has stopped.
        }
        finally
        {
            outboxes.Remove(gateway);
        }
    }

    /// <returns>False if the gateway did not take it for <see cref="GiveUp"/>.</returns>
    private async Task<bool> DeliverAsync(GatewayId gateway, IGatewayObserver observer, Payload batch, CancellationToken stop)
    {
        var pause = FirstPause;
        for (var until = clock.Now.Steady + GiveUp; clock.Now.Steady < until;)
        {
            try
            {
                await observer.DeliverAsync(batch);
                return true;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // Whatever the reason, the answer is the same: it may or may not have arrived, so it goes again.
                LogRetry(gateway, e.Message);
            }

            await Task.Delay(pause, stop);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }

        return false;
    }

    [LoggerMessage(3101, LogLevel.Warning, "Gateway {Gateway} is given up after it took nothing for 30 s; {Waiting} deliveries are dropped, it will declare itself anew")]
    private partial void LogGivenUp(GatewayId gateway, int waiting);

    [LoggerMessage(3102, LogLevel.Debug, "Gateway {Gateway} did not acknowledge a batch: {Reason}")]
    private partial void LogRetry(GatewayId gateway, string reason);
}
