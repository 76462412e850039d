using Microsoft.Extensions.Logging;
using Orleans.Core.Internal;
using StatusDaemon.Daemon;
using StatusDaemon.Routing;
using StatusDaemon.Storage;

namespace StatusDaemon.Cluster;

/// <summary>A router shard as Orleans hosts it: a thin shell around <see cref="RouterShard"/>, one call after the other.</summary>
/// <remarks>
/// An activation takes its own epoch before its first input, reads the directory after it began, and answers watches by single reads while the
/// daemon scans its store. Saving interleaves with calls, but only at their waits, so that routing never waits for the disk.
/// </remarks>
[GrainType("statusd.shard")]
[ShardPlacement]
internal sealed partial class ShardGrain(ShardServices services, SiloSetup setup, ILocalSiloDetails place, ILogger<ShardGrain> log) : Grain, IShardGrain
{
    private static readonly TimeSpan SaveRetry = TimeSpan.FromSeconds(1);

    /// <summary>Between two attempts to take an epoch. A failed activation would be kept for seconds by Orleans, and the shard be dark.</summary>
    private static readonly RetryPause EpochRetry = new(First: TimeSpan.FromMilliseconds(50), Longest: TimeSpan.FromSeconds(1));

    /// <summary>Between two looks at the directory for somebody whom it does not know.</summary>
    private static readonly TimeSpan RefreshPause = TimeSpan.FromSeconds(1);

    private RouterShard shard = null!;
    private Task<IReadOnlyList<StoredStatus>>? scan;
    private IGrainTimer saveTimer = null!;
    private IGrainTimer? tickTimer;
    private TimeSpan refreshedAt = -RefreshPause;
    private bool hasLearnt;
    private bool isSaveDue;
    private bool isSaveFailing;

    private int Number => (int)this.GetPrimaryKeyLong();

    /// <inheritdoc/>
    public override async Task OnActivateAsync(CancellationToken stop)
    {
        try
        {
            var epoch = await NextEpochAsync(stop);
            var directory = await services.Directory.RefreshAsync(stop);
            stop.ThrowIfCancellationRequested();
            var router = new Router(services.Settings, services.Uids, directory, services.Store.Incarnation, epoch, services.Clock.Now);
            shard = new RouterShard(Number, router, services.Outboxes, services.Store, services.Clock);
            services.Store.Own(Number, epoch);
            await BeginAsync();
            stop.ThrowIfCancellationRequested(); // Orleans has given it up, and will not end it
        }
        catch
        {
            End();
            throw;
        }
    }

    /// <inheritdoc/>
    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken stop)
    {
        if (shard is null)
        {
            return; // it never began
        }

        services.LocalShards.Remove(Number, hasMoved: reason.ReasonCode == DeactivationReasonCode.Migrating); // from here on nobody asks it for anything
        try
        {
            await SaveAsync(stop);
        }
        finally
        {
            End();
        }
    }

    /// <inheritdoc/>
    public async Task<Payload> TakeAsync(Payload batch, IGatewayObserver gateway)
    {
        if (!WireRange.Ours.Has(batch.Version))
        {
            return new Payload(WireRange.Ours);
        }

        var parsed = batch.AsBatch(services.Uids);
        if (parsed.Inputs.Any(IsElsewhere))
        {
            throw new InvalidOperationException($"Gateway {parsed.Gateway} tells shard {Number} of {setup.Shards} what is for another one: it has another CLUSTER.shards, and must be started with ours.");
        }

        try
        {
            await LearnScanAsync();
            await RefreshForNewcomersAsync(parsed);
            await CatchUpWithDirectoryAsync();
            if (parsed.Activation > shard.Activation)
            {
                await EndSupersededAsync(parsed.Activation);
            }

            if (parsed.Declares)
            {
                services.Pump.Open(parsed.Gateway, gateway, batch.Version);
            }

            var answer = await shard.TakeAsync(parsed, CancellationToken.None);
            SaveSoon();
            return new Payload(answer, batch.Version);
        }
        catch (StoreException e)
        {
            services.Outages.Reading.Begin(Number, e.Message);
            throw new InvalidOperationException(e.Message); // of a kind that a gateway in another process can read
        }
        catch (Exception e) when (!IsEndOfHost(e))
        {
            StartAnew(e);
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task FollowAsync()
    {
        try
        {
            await CatchUpWithDirectoryAsync();
            await shard.TakeExternalAsync(CancellationToken.None);
            SaveSoon();
        }
        catch (Exception e) when (!IsEndOfHost(e))
        {
            StartAnew(e);
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task LeaveAsync(SiloAddress from)
    {
        if (place.SiloAddress.Equals(from))
        {
            // A mere end would let a call that is under way to here begin it here again; so would Grain.MigrateOnIdle, which ends it before it has a place.
            await ((IGrainManagementExtension)GrainContext).MigrateOnIdle(CancellationToken.None);
        }
    }

    /// <summary>Whether it is of somebody whom another shard owns: a gateway that was not stopped while the number of shards was changed counts by the old one.</summary>
    private bool IsElsewhere(RouterInput input) => input switch
    {
        RouterInput.Open open => open.Subscriber.ShardOf(setup.Shards) != Number,
        RouterInput.Watch watch => watch.Publisher.ShardOf(setup.Shards) != Number,
        _ => false, // of whom it has told before
    };

    /// <summary>A gateway has heard of a later activation: this one was taken for gone, or the store is an older copy. The next one is later than both.</summary>
    private async Task EndSupersededAsync(long later)
    {
        await services.Store.NextEpochAsync(later, CancellationToken.None);
        LogSuperseded(Number);
        DeactivateOnIdle();
    }

    private async Task BeginAsync()
    {
        saveTimer = this.RegisterGrainTimer(SaveInTurnAsync, new GrainTimerCreationOptions(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan) { Interleave = true, KeepAlive = true });
        services.LocalShards.Add(Number, this.AsReference<IShardGrain>().FollowAsync);
        scan = services.Scan.LoadAsync(Number, services.Stopping);
        await FollowAsync(); // what changed since the directory was read was told to the shards that were there
        tickTimer = this.RegisterGrainTimer(TickAsync, new GrainTimerCreationOptions(TimeSpan.FromMilliseconds(50), RouterSettings.TickInterval) { KeepAlive = true });
    }

    /// <summary>Gives back what it holds.</summary>
    private void End()
    {
        services.Outages.Reading.Forget(Number);
        services.Outages.Saving.Forget(Number);
        if (shard is null)
        {
            return; // it had nothing yet
        }

        services.LocalShards.Remove(Number, hasMoved: false);
        saveTimer?.Dispose();
        tickTimer?.Dispose();
        shard.Close();
        services.Store.Disown(Number, shard.Activation);
        shard = null!;
    }

    /// <summary>Puts the newest snapshot in force. Not only when told: who is new in it logs in at once, and what he says must not meet an older one, which would drop it.</summary>
    private async Task CatchUpWithDirectoryAsync()
    {
        if (shard.DirectoryRevision < services.Directory.Current.Revision)
        {
            await shard.TakeAsync(new RouterInput.DirectoryChanged(services.Changes.UpTo(services.Directory.Current)), CancellationToken.None);
        }
    }

    /// <summary>A gateway in another process reads the directory by itself, and may know of a new subscriber earlier than we.</summary>
    private async Task RefreshForNewcomersAsync(ShardBatch batch)
    {
        var now = services.Clock.Now.Steady;
        if (now - refreshedAt >= RefreshPause && batch.Inputs.Any(input => input is RouterInput.Open open && !services.Directory.Current.MayLogIn(open.Subscriber)))
        {
            refreshedAt = now;
            await services.Directory.RefreshAsync(services.Stopping);
        }
    }

    private async Task<long> NextEpochAsync(CancellationToken stop)
    {
        for (var pause = EpochRetry.After(TimeSpan.Zero); ; pause = EpochRetry.After(pause))
        {
            try
            {
                return await services.Store.NextEpochAsync(0, stop);
            }
            catch (StoreException e)
            {
                services.Outages.Reading.Begin(Number, e.Message);
            }

            await Task.Delay(pause, services.Time, stop);
        }
    }

    private async Task TickAsync(CancellationToken stop)
    {
        try
        {
            if (shard.IsOfAnotherStore)
            {
                DeactivateOnIdle(); // nothing that is known here is of it; the store has told why
                return;
            }

            if (!hasLearnt)
            {
                scan ??= services.Scan.LoadAsync(Number, services.Stopping);
            }

            await LearnScanAsync();
            await shard.TickAsync(stop);
            if (hasLearnt)
            {
                services.Outages.Reading.End(Number);
            }
        }
        catch (StoreException e)
        {
            services.Outages.Reading.Begin(Number, e.Message);
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            StartAnew(e);
        }

        SaveSoon();
    }

    /// <summary>Hands the scan's records to the router, once, in a turn of its own. After a scan that failed the next tick begins another.</summary>
    private async Task LearnScanAsync()
    {
        if (scan is not { IsCompleted: true, IsCanceled: false } ended)
        {
            return; // under way, done, or given up because the host stops
        }

        scan = null;
        try
        {
            var records = await ended;
            await shard.TakeAsync(new RouterInput.AllRead([.. records.Select(stored => (stored.Uid, stored.Record))]), CancellationToken.None);
            hasLearnt = true;
        }
        catch (StoreException e)
        {
            services.Outages.Reading.Begin(Number, e.Message); // who is not asked for waits; the batch need not
        }
    }

    /// <summary>What was asked of others is given up since the host stops: nothing is broken, and what was not taken comes again.</summary>
    private bool IsEndOfHost(Exception failure) => failure is OperationCanceledException && services.Stopping.IsCancellationRequested;

    /// <summary>After a broken invariant nobody knows what was applied. A new activation knows nothing, and is told everything anew.</summary>
    private void StartAnew(Exception failure)
    {
        LogBroken(failure, Number);
        DeactivateOnIdle();
    }

    /// <summary>Lets a change wait for others, but not for long: the wait and the commit together stay within the flush interval. A quiet shard costs nothing.</summary>
    /// <remarks>All shards wait for the same moments, twice in an interval, so that they share their commits.</remarks>
    private void SaveSoon()
    {
        if (shard.HasUnsaved && !isSaveDue)
        {
            isSaveDue = true;
            var between = services.Flush.Ticks / 2;
            saveTimer.Change(isSaveFailing ? SaveRetry : TimeSpan.FromTicks(between - (services.Clock.Now.Steady.Ticks % between)), Timeout.InfiniteTimeSpan);
        }
    }

    private async Task SaveInTurnAsync(CancellationToken stop)
    {
        isSaveDue = false;
        await SaveAsync(stop);
        SaveSoon();
    }

    private async Task SaveAsync(CancellationToken stop)
    {
        try
        {
            await shard.SaveAsync(stop);
            isSaveFailing = false;
            services.Outages.Saving.End(Number);
        }
        catch (StoreException e)
        {
            // The feed keeps it; the next timer tries again.
            isSaveFailing = true;
            services.Outages.Saving.Begin(Number, e.Message);
        }
    }

    [LoggerMessage(3006, LogLevel.Warning, "Shard {Shard} had begun elsewhere meanwhile, and begins anew")]
    private partial void LogSuperseded(int shard);

    [LoggerMessage(3005, LogLevel.Error, "Shard {Shard} met what must not be, and starts anew")]
    private partial void LogBroken(Exception failure, int shard);
}
