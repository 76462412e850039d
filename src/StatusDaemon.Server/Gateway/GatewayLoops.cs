using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StatusDaemon.Auth;
using StatusDaemon.Cluster;
using StatusDaemon.Daemon;
using StatusDaemon.Directories;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Protocol;
using StatusDaemon.Routing;
using StatusDaemon.Transport;

namespace StatusDaemon.Gateway;

/// <summary>The loops of a gateway: lets time pass for all of them, tells all of the directory, and ends them together.</summary>
internal sealed class GatewayLoops : BackgroundService
{
    private readonly ISubscriberDirectory directory;
    private readonly IShardAccess access;
    private readonly TimeProvider time;
    private readonly GatewayLoop[] loops;

    /// <param name="count">One a thread: at least 1.</param>
    public GatewayLoops(
        int count, int shards, Limits limits, AuthOptions auth, ConnectionCounts counts, UidTable uids, ISubscriberDirectory directory, IShardAccess access, SteadyClock clock, TimeProvider time, ILogger<GatewayLoop> log)
    {
        this.directory = directory;
        this.access = access;
        this.time = time;
        Shards = shards;
        loops =
        [
            .. Enumerable.Range(0, count).Select(_ => new GatewayLoop(
                new GatewayId(BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)))), uids, shards, limits, auth, counts, directory, clock, time, log)),
        ];
    }

    /// <summary>All of them.</summary>
    public IReadOnlyList<GatewayLoop> All => loops;

    /// <summary>Shards of the deployment.</summary>
    public int Shards { get; }

    /// <summary>Shards that all loops have reached.</summary>
    public int ShardsReached => loops.Min(loop => loop.ShardsReached);

    /// <summary>Whether clients are closed, and no new ones taken in.</summary>
    public bool IsDraining => loops.Any(loop => loop.IsDraining);

    /// <summary>Makes the instruments of docs/operations.md, "Metrics".</summary>
    public void Measure(Meter meter)
    {
        meter.CreateObservableGauge("statusd.clients", () => loops.Sum(loop => loop.Load.Clients), "{client}", "Clients connected.");
        meter.CreateObservableGauge("statusd.clients.behind", () => loops.Sum(loop => loop.Load.Behind), "{client}", "Clients that do not read what they are sent.");
        meter.CreateObservableCounter("statusd.frames.conflated", () => loops.Sum(loop => loop.Load.Conflated), "{frame}", "Frames that were never written, since a newer one of the same publisher took their place.");
        meter.CreateObservableGauge("statusd.publishers.overdue", () => loops.Sum(loop => loop.Load.Overdue), "{publisher}", "Publishers whose latest status waits, since all together are more than can be written.");
        meter.CreateObservableGauge("statusd.shards.away", () => loops.Max(loop => loop.Load.Away), "{shard}", "Shards that do not answer this gateway, or have not yet.");
        meter.CreateObservableGauge("statusd.shards.waiting", () => loops.Sum(loop => loop.Load.Waiting), "{input}", "What this gateway has to tell shards and they have not answered.");
        meter.CreateObservableGauge("statusd.shards.unsaved", () => loops.Sum(loop => loop.Load.Unsaved), "{status}", "Accepted statuses that are in no store yet, and that this gateway keeps until they are.");
    }

    /// <summary>The loop that a connection's socket is on.</summary>
    public GatewayLoop Of(SocketLoop sockets) => loops.First(loop => loop.Sockets == sockets);

    /// <summary>Closes all clients over a while and waits until they are gone and shards have taken what they said, or the time is over.</summary>
    public Task DrainAsync(CloseCode code, string reason, TimeSpan over, CancellationToken stop) =>
        Task.WhenAll(loops.Select(loop => loop.DrainAsync(code, reason, over, stop)));

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        foreach (var loop in loops)
        {
            loop.Start();
        }

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task[] parts = [.. loops.Select(loop => loop.Sockets.Ended), TickAsync(ending.Token), FollowDirectoryAsync(ending.Token)];
        try
        {
            var isAttached = AttachAsync(ending.Token);
            if (await Task.WhenAny([isAttached, .. parts]) == isAttached)
            {
                await isAttached;
            }

            // None of them ends by itself: without one the others would go on as if nothing were missing.
            await await Task.WhenAny(parts);
        }
        finally
        {
            await ending.CancelAsync();
            foreach (var loop in loops)
            {
                loop.Dispose();
            }

            await Task.WhenAll(parts).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task AttachAsync(CancellationToken stop)
    {
        var cluster = await access.ConnectAsync(stop);
        foreach (var loop in loops)
        {
            loop.Attach(cluster);
        }
    }

    private async Task TickAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(access.Heartbeat, time);
        while (await timer.WaitForNextTickAsync(stop))
        {
            foreach (var loop in loops)
            {
                await loop.PostAsync(new LoopInput.Tick(access.Heartbeat), stop);
            }
        }
    }

    private async Task FollowDirectoryAsync(CancellationToken stop)
    {
        DirectorySnapshot? last = null;
        await foreach (var snapshot in directory.FollowAsync(stop))
        {
            var changed = last is null ? null : WhoMayBeRemoved(DirectoryChange.Between(last, snapshot));
            last = snapshot;
            if (changed is { Count: 0 })
            {
                continue; // rules are the shards' to follow
            }

            foreach (var loop in loops)
            {
                await loop.PostAsync(new LoopInput.DirectoryChanged(changed), stop);
            }
        }
    }

    private static HashSet<Uid> WhoMayBeRemoved(DirectoryChange change) => new(change.Removed.Concat(change.AttributesChanged), Uid.Comparer);
}
