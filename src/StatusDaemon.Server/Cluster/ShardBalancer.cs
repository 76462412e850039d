using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace StatusDaemon.Cluster;

/// <summary>Gives away the shards that belong to another daemon since daemons have come or gone: placement alone would leave all where they began.</summary>
/// <remarks>One after the other, each saved first: the next call of a gateway starts it at its new place, where it is told what it has to know.</remarks>
internal sealed partial class ShardBalancer(
    IClusterMembershipService membership, ILocalSiloDetails self, SiloSetup setup, LocalShards shards, IGrainFactory grains, TimeProvider time, ILogger<ShardBalancer> log) : BackgroundService
{
    /// <summary>Between two shards, so that only few of them are under way at once.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private HashSet<SiloAddress> known = [];

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        await foreach (var snapshot in membership.MembershipUpdates.WithCancellation(stop))
        {
            HashSet<SiloAddress> active = [.. snapshot.Members.Values.Where(member => member.Status == SiloStatus.Active).Select(member => member.SiloAddress)];
            Tell(active);
            if (active.Contains(self.SiloAddress))
            {
                await GiveAwayAsync([.. active], stop);
            }
        }
    }

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
    }

    private async Task GiveAwayAsync(SiloAddress[] active, CancellationToken stop)
    {
        foreach (var shard in shards.Numbers.Where(shard => !ShardAssignment.Choose(shard, setup.Shards, active).Equals(self.SiloAddress)))
        {
            await grains.GetGrain<IShardGrain>(shard).LeaveAsync(self.SiloAddress).WaitAsync(stop);
            await Task.Delay(Pause, time, stop);
        }
    }

    [LoggerMessage(3503, LogLevel.Information, "The daemon at {Daemon} is there; the shards are spread over {Daemons} now")]
    private partial void LogCome(System.Net.IPEndPoint daemon, int daemons);

    [LoggerMessage(3504, LogLevel.Warning, "The daemon at {Daemon} is gone; the shards are spread over {Daemons} now")]
    private partial void LogGone(System.Net.IPEndPoint daemon, int daemons);
}
