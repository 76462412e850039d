using System.Net;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace StatusDaemon.Cluster;

/// <summary>Gives away the shards that belong to another daemon: some when daemons have come or gone, since placement alone would leave all where they began, and all before this one stops.</summary>
/// <remarks>Each is saved, and begins at its new place, where gateways tell it what it has to know. One after the other, so that only few are under way at once.</remarks>
internal sealed partial class ShardBalancer(
    IClusterMembershipService membership, ILocalSiloDetails self, SiloSetup setup, LocalShards shards, IGrainFactory grains, TimeProvider time, ILogger<ShardBalancer> log)
    : BackgroundService, IHostedLifecycleService
{
    /// <summary>Between two shards.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>How long a stop waits for shards to have gone.</summary>
    private static readonly TimeSpan LeavePatience = TimeSpan.FromSeconds(2);

    private HashSet<SiloAddress> known = [];

    /// <inheritdoc/>
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        shards.IsLeaving = true;
        if (!ActiveOf(membership.CurrentSnapshot).Any(silo => !silo.Equals(self.SiloAddress)))
        {
            return;
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(LeavePatience);
        try
        {
            await GiveAwayAsync(shards.Numbers, patience.Token);
            while (shards.Numbers.Count > 0)
            {
                await Task.Delay(Pause, time, patience.Token);
            }
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            // What is left ends with the silo, and begins elsewhere when it is called.
        }
    }

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        await foreach (var snapshot in membership.MembershipUpdates.WithCancellation(stop))
        {
            var active = ActiveOf(snapshot);
            Tell(active);
            if (active.Contains(self.SiloAddress) && !shards.IsLeaving)
            {
                SiloAddress[] silos = [.. active];
                await GiveAwayAsync(shards.Numbers.Where(shard => !ShardAssignment.Choose(shard, setup.Shards, silos).Equals(self.SiloAddress)), stop);
            }
        }
    }

    private static HashSet<SiloAddress> ActiveOf(ClusterMembershipSnapshot snapshot) =>
        [.. snapshot.Members.Values.Where(member => member.Status == SiloStatus.Active).Select(member => member.SiloAddress)];

    private void Tell(HashSet<SiloAddress> active)
    {
        foreach (var come in active.Where(silo => !known.Contains(silo) && !silo.Equals(self.SiloAddress)))
        {
            LogCome(come.Endpoint, active.Count);
        }

        foreach (var gone in known.Where(silo => !active.Contains(silo) && !silo.Equals(self.SiloAddress)))
        {
            LogGone(gone.Endpoint, active.Count);
        }

        known = active;
        shards.Daemons = active.Count;
    }

    /// <summary>Asks shards to go. One that does not answer in time, or fails, is asked again after the others, unless it is here no more.</summary>
    private async Task GiveAwayAsync(IEnumerable<int> leaving, CancellationToken stop)
    {
        var left = new Queue<int>(leaving);
        while (left.TryDequeue(out var shard))
        {
            try
            {
                await grains.GetGrain<IShardGrain>(shard).LeaveAsync(self.SiloAddress).WaitAsync(stop);
            }
            catch (Exception) when (!stop.IsCancellationRequested)
            {
                if (shards.Find(shard) is not null)
                {
                    left.Enqueue(shard);
                }
            }

            await Task.Delay(Pause, time, stop);
        }
    }

    [LoggerMessage(3503, LogLevel.Information, "The daemon at {Daemon} is there; the shards are spread over {Daemons} now")]
    private partial void LogCome(IPEndPoint daemon, int daemons);

    [LoggerMessage(3504, LogLevel.Warning, "The daemon at {Daemon} is gone; the shards are spread over {Daemons} now")]
    private partial void LogGone(IPEndPoint daemon, int daemons);
}
