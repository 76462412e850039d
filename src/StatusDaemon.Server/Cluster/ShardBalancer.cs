using System.Net;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace StatusDaemon.Cluster;

/// <summary>Gives away the shards that belong to another daemon: some when daemons have come or gone, since placement alone would leave all where they began, and all before this one stops.</summary>
/// <remarks>
/// Each is saved, and begins at its new place, where gateways tell it what it has to know. Few are under way at once. What is here is compared with
/// what belongs here whenever a member has come or gone, and from time to time: so one that did not go is asked again, and none waits for it for long.
/// </remarks>
internal sealed partial class ShardBalancer(
    IClusterMembershipService membership, IClusterManifestProvider manifests, ILocalSiloDetails self, SiloSetup setup, LocalShards shards, IGrainFactory grains,
    IHostApplicationLifetime host, TimeProvider time, ILogger<ShardBalancer> log)
    : BackgroundService, IHostedLifecycleService
{
    /// <summary>Shards that are under way at once.</summary>
    private const int AtOnce = 8;

    /// <summary>How long one may take to answer, and then to end here, before another is asked in its place.</summary>
    private static readonly TimeSpan GoLimit = TimeSpan.FromSeconds(0.5);

    /// <summary>Between two looks while no member comes or goes.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(3);

    /// <summary>Between two looks while this daemon stops.</summary>
    private static readonly TimeSpan LeavingPause = TimeSpan.FromMilliseconds(50);

    // One look is enough for all that has changed before it.
    private readonly Channel<bool> changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Lock gate = new();
    private HashSet<SiloAddress> known = [];
    private Task? handOver;

    /// <inheritdoc/>
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppingAsync(CancellationToken cancellationToken) => HandOverAsync();

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        using var leaving = host.ApplicationStopping.Register(() => _ = HandOverAsync()); // beside the drain of clients, which a stop waits for first
        await await Task.WhenAny(FollowMembersAsync(stop), FollowManifestsAsync(stop), BalanceAsync(stop));
    }

    private static HashSet<SiloAddress> ActiveOf(ClusterMembershipSnapshot snapshot) =>
        [.. snapshot.Members.Values.Where(member => member.Status == SiloStatus.Active).Select(member => member.SiloAddress)];

    private async Task FollowMembersAsync(CancellationToken stop)
    {
        await foreach (var snapshot in membership.MembershipUpdates.WithCancellation(stop))
        {
            Tell(ActiveOf(snapshot));
            changes.Writer.TryWrite(true);
        }
    }

    /// <summary>A member that has come can be given a shard only when it has said what it hosts, which is somewhat later.</summary>
    private async Task FollowManifestsAsync(CancellationToken stop)
    {
        await foreach (var _ in manifests.Updates.WithCancellation(stop))
        {
            changes.Writer.TryWrite(true);
        }
    }

    private async Task BalanceAsync(CancellationToken stop)
    {
        await using var look = time.CreateTimer(_ => changes.Writer.TryWrite(true), null, LookEvery, LookEvery);
        await foreach (var _ in changes.Reader.ReadAllAsync(stop))
        {
            if (!shards.IsLeaving)
            {
                await GiveAwayAsync(shards.Numbers, stop);
            }
        }
    }

    private Task HandOverAsync()
    {
        lock (gate)
        {
            return handOver ??= LeaveAllAsync();
        }
    }

    private async Task LeaveAllAsync()
    {
        shards.IsLeaving = true;
        using var patience = new CancellationTokenSource(ClusterHosting.HandOverLimit, time);
        try
        {
            while (shards.Numbers.Count > 0 && Places().Length > 0)
            {
                await GiveAwayAsync(shards.Numbers, patience.Token);
                await Task.Delay(LeavingPause, time, patience.Token);
            }
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            // What is left ends with the silo, and begins elsewhere when it is called.
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
        shards.Daemons = active.Count;
    }

    /// <summary>Asks those to go that do not belong here, each once.</summary>
    private Task GiveAwayAsync(IEnumerable<int> leaving, CancellationToken stop) => Parallel.ForEachAsync(
        leaving,
        new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stop },
        async (shard, giveUp) =>
        {
            if (!BelongsHere(shard))
            {
                await GiveAwayAsync(shard, giveUp);
            }
        });

    private async Task GiveAwayAsync(int shard, CancellationToken stop)
    {
        try
        {
            var end = shards.EndedAsync(shard);
            await grains.GetGrain<IShardGrain>(shard).LeaveAsync(self.SiloAddress).WaitAsync(GoLimit, time, stop);
            await end.WaitAsync(GoLimit, time, stop);
        }
        catch (Exception) when (!stop.IsCancellationRequested)
        {
            // It does not answer, or fails, or can't be taken yet: the next look asks it again.
        }
    }

    private bool BelongsHere(int shard)
    {
        var places = Places();
        return places.Length == 0 || ShardAssignment.Choose(shard, setup.Shards, places).Equals(self.SiloAddress);
    }

    /// <summary>Where shards belong now, as placement sees it; nowhere while this daemon is no member, or stops and is alone.</summary>
    private SiloAddress[] Places()
    {
        var active = ActiveOf(membership.CurrentSnapshot);
        var hosts = manifests.Current.Silos;
        return active.Contains(self.SiloAddress)
            ? [.. active.Where(silo => hosts.ContainsKey(silo) && !(shards.IsLeaving && silo.Equals(self.SiloAddress)))]
            : [];
    }

    [LoggerMessage(3503, LogLevel.Information, "The daemon at {Daemon} is there; the shards are spread over {Daemons} now")]
    private partial void LogCome(IPEndPoint daemon, int daemons);

    [LoggerMessage(3504, LogLevel.Warning, "The daemon at {Daemon} is gone; the shards are spread over {Daemons} now")]
    private partial void LogGone(IPEndPoint daemon, int daemons);
}
