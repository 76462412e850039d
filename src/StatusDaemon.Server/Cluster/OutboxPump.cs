using System.Security.Cryptography;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StatusDaemon.Daemon;
using StatusDaemon.Routing;

namespace StatusDaemon.Cluster;

/// <summary>Carries each outbox of this daemon to its gateway: one acknowledged batch outstanding, the same again until it is acknowledged.</summary>
/// <remarks>
/// A gateway that takes nothing for <see cref="GiveUp"/> is given up: what waits for it is dropped, and it must declare itself anew. Before that
/// it gets a last chance, so that a pause of the whole process is not held against it. An outbox is open for no longer than somebody carries it.
/// </remarks>
internal sealed partial class OutboxPump(Outboxes outboxes, SteadyClock clock, TimeProvider time, IHostApplicationLifetime lifetime, ILogger<OutboxPump> log)
{
    /// <summary>How long a batch is tried, and how long a gateway may be unheard before its outbox is closed.</summary>
    public static readonly TimeSpan GiveUp = TimeSpan.FromSeconds(30);

    /// <summary>How long a gateway that is to be given up may still be heard: it has time for two heartbeats.</summary>
    public static readonly TimeSpan LastChance = TimeSpan.FromSeconds(2);

    private static readonly RetryPause Pause = new(First: TimeSpan.FromMilliseconds(20), Longest: TimeSpan.FromSeconds(1));

    /// <summary>Opens the outbox of a gateway that declares itself, unless it is open.</summary>
    /// <param name="version">Of the messages that the gateway gets.</param>
    public void Open(GatewayId gateway, IGatewayObserver observer, byte version)
    {
        if (outboxes.Find(gateway) is null)
        {
            var outbox = new Outbox(BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)))) { HeardAt = clock.Now.Steady };
            if (outboxes.TryAdd(gateway, outbox))
            {
                _ = RunAsync(gateway, outbox, observer, version, lifetime.ApplicationStopped);
            }
        }
    }

    private async Task RunAsync(GatewayId gateway, Outbox outbox, IGatewayObserver observer, byte version, CancellationToken stop)
    {
        // Away from the scheduler of the shard that opened it: it carries what all shards tell, and outlives that one.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            var reason = await CarryAsync(gateway, outbox, observer, version, stop);
            LogGivenUp(gateway, GiveUp.TotalSeconds, reason, outbox.Count);
        }
        catch (Exception) when (stop.IsCancellationRequested)
        {
            // The host has stopped, and nobody takes anything any more.
        }
        catch (Exception e)
        {
            // A broken invariant: the gateway is told everything anew.
            LogBroken(e, gateway, outbox.Count);
        }
        finally
        {
            outboxes.Remove(gateway);
        }
    }

    /// <summary>Carries what is told until the gateway has to be given up.</summary>
    /// <returns>Why it has to.</returns>
    private async Task<string> CarryAsync(GatewayId gateway, Outbox outbox, IGatewayObserver observer, byte version, CancellationToken stop)
    {
        while (await outbox.WaitAsync(GiveUp, time, stop) || IsHeard(outbox) || await outbox.WaitAsync(LastChance, time, stop) || IsHeard(outbox))
        {
            while (outbox.Take() is { } batch)
            {
                outbox.SentAt = clock.Now.Steady;
                if (await DeliverAsync(gateway, observer, new Payload(batch, version), stop) is { } failure)
                {
                    return failure;
                }

                outbox.SentAt = null;
            }
        }

        return "it is silent";
    }

    private bool IsHeard(Outbox outbox) => clock.Now.Steady - outbox.HeardAt < GiveUp;

    /// <returns>Why the gateway did not take it for <see cref="GiveUp"/>, nor when it was asked once more; null if it did.</returns>
    private async Task<string?> DeliverAsync(GatewayId gateway, IGatewayObserver observer, Payload batch, CancellationToken stop)
    {
        var until = clock.Now.Steady + GiveUp;
        for (var pause = Pause.First; ; pause = Pause.After(pause))
        {
            var isLast = clock.Now.Steady >= until;
            try
            {
                await observer.DeliverAsync(batch).WaitAsync(ClusterHosting.Patience, time, stop);
                return null;
            }
            catch (Exception e) when (e is not FramingException && !stop.IsCancellationRequested)
            {
                // Whatever else the reason, the answer is the same: it may or may not have arrived, so it goes again.
                LogRetry(gateway, e.Message);
                if (isLast)
                {
                    return e.Message;
                }
            }

            await Task.Delay(pause, time, stop);
        }
    }

    [LoggerMessage(3101, LogLevel.Warning, "Gateway {Gateway} is given up after it took nothing for {Seconds} s ({Reason}); {Waiting} deliveries are dropped, it will declare itself anew")]
    private partial void LogGivenUp(GatewayId gateway, double seconds, string reason, int waiting);

    [LoggerMessage(3102, LogLevel.Debug, "Gateway {Gateway} did not acknowledge a batch: {Reason}")]
    private partial void LogRetry(GatewayId gateway, string reason);

    [LoggerMessage(3103, LogLevel.Error, "Gateway {Gateway} is given up since what it is told cannot be carried; {Waiting} deliveries are dropped, it will declare itself anew")]
    private partial void LogBroken(Exception failure, GatewayId gateway, int waiting);
}
