using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using StatusDaemon.Redis;

namespace StatusDaemon.Storage;

/// <summary>Keeps up with the status database through all that happens to it: restarts, failovers, losses, and silence.</summary>
/// <remarks>
/// After each interruption: listen, prove that what rings is heard, find out whether anything was lost, look at every key, and only then at what rang meanwhile.
/// From then on a pulse a second, whose ring must be heard before the next. Decision 0017.
/// </remarks>
internal sealed partial class RedisKeeper : IAsyncDisposable
{
    /// <summary>Between two pulses.</summary>
    public static readonly TimeSpan Pulse = TimeSpan.FromSeconds(1);

    /// <summary>Between two words about another daemon that owns what we own.</summary>
    private static readonly TimeSpan RivalPause = TimeSpan.FromMinutes(1);

    /// <summary>How long a ring may take to be heard.</summary>
    private static readonly TimeSpan HearingPatience = TimeSpan.FromSeconds(1);

    private readonly RedisConnection connection;
    private readonly RedisStatusKeys keys;
    private readonly KnownValues known;
    private readonly RedisLookout lookout;
    private readonly RedisListener listener;
    private readonly TimeSpan sweep;
    private readonly TimeProvider clock;
    private readonly ILogger log;
    private readonly CancellationTokenSource stopping = new();
    private readonly RedisNotifications notifications;
    private readonly RedisLosses losses;
    private readonly RedisPulses pulses;
    private volatile RedisAwayException? away = new("Redis was not reached yet.", isRefusal: false);
    private volatile bool isDeaf;
    private volatile bool isSettled; // else what was acknowledged last may turn out to be lost
    private volatile bool isExchanged;
    private TaskCompletionSource suspicion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long gaps;
    private long awaySince;
    private long? rivalToldAt;
    private long lastEpoch;
    private Task running = Task.CompletedTask;

    /// <param name="sweep">Between two sweeps in the background.</param>
    public RedisKeeper(RedisConnection connection, RedisStatusKeys keys, KnownValues known, RedisLookout lookout, TimeSpan sweep, TimeProvider clock, ILogger log)
    {
        this.connection = connection;
        this.keys = keys;
        this.known = known;
        this.lookout = lookout;
        this.sweep = sweep;
        this.clock = clock;
        this.log = log;
        awaySince = clock.GetTimestamp();
        losses = new RedisLosses(how => LogLoss(connection.Address, how));
        notifications = new RedisNotifications(connection);
        pulses = new RedisPulses(connection, keys, clock, losses.Note, NoteDaemon);
        listener = new RedisListener(connection, keys.Globs, Hear);
    }

    /// <inheritdoc cref="IStatusStore.Losses"/>
    public long Losses => losses.Count;

    /// <summary>Times that something may have been missed, so that every key was looked at.</summary>
    public long Gaps => Interlocked.Read(ref gaps);

    /// <summary>Whether the database answers.</summary>
    public bool IsThere => away is null;

    /// <summary>Whether the database sends no notifications, so that it is swept every second.</summary>
    public bool IsDeaf => isDeaf;

    /// <inheritdoc cref="IStatusStore.Trouble"/>
    public string? Trouble =>
        away is not null ? "Redis is away; the log says why (event 4101)"
        : losses.IsPending ? "Redis has lost statuses, they are written again (event 4105)"
        : isDeaf ? "Redis sends no notifications, it is swept every second (event 4106)"
        : null;

    /// <summary>Begins, and waits until the first attempt has shown whether the database is there.</summary>
    /// <exception cref="RedisAwayException">It is, and refuses us; one that is not there is tried again in the background.</exception>
    public async Task StartAsync(CancellationToken stop)
    {
        try
        {
            await connection.ConnectAsync(stop);
            await SettleAsync(stop);
            Open();
        }
        catch (RedisAwayException e) when (!e.IsRefusal)
        {
            Close(e);
        }

        running = RunAsync(stopping.Token);
    }

    /// <summary>Lets a caller fail at once while the database is away.</summary>
    /// <exception cref="RedisAwayException">It is.</exception>
    public void ThrowIfAway()
    {
        if (away is { } reason)
        {
            throw reason;
        }
    }

    /// <summary>Runs writes, while the database is there and nothing of it is lost.</summary>
    /// <exception cref="RedisAwayException">It is not, or what it has lost was not found yet.</exception>
    public Task<T> WriteAsync<T>(Func<Task<T>> write) => losses.WriteAsync(() =>
    {
        ThrowIfAway();
        return isSettled && !listener.HasGap ? write() : throw RedisAwayException.Interrupted();
    });

    /// <summary>Somebody met a failure: look now.</summary>
    public void Suspect() => suspicion.TrySetResult();

    /// <summary>Whether the database still is the one that we filled, on every server: only then is a key that is not there one that was deleted.</summary>
    public async Task<bool> IsIntactAsync()
    {
        var lossesBefore = losses.Found;
        switch (await keys.ReadIncarnationAsync())
        {
            case null when lossesBefore == losses.Found:
                losses.Note("its marker is gone");
                return false;
            case null:
                return false; // somebody has found it out meanwhile
            case var found when found != lookout.Incarnation:
                isExchanged = true;
                return false;
            default:
                return await RaiseAsync();
        }
    }

    /// <summary>Interruptions so far: of writes during which there was one nobody knows whether they are kept.</summary>
    public long Interruptions => connection.Interruptions;

    /// <summary>After writes: notes at each server that they were made, so that one which comes back without them is found out.</summary>
    /// <param name="interruptions"><see cref="Interruptions"/> as they were before the first write.</param>
    /// <exception cref="RedisAwayException">A server has lost what it had, or may have.</exception>
    public async Task ConfirmAsync(long interruptions)
    {
        if (!await RaiseAsync())
        {
            throw RedisAwayException.Lost();
        }

        if (connection.Interruptions != interruptions)
        {
            throw RedisAwayException.Interrupted();
        }
    }

    /// <inheritdoc cref="IStatusStore.NextEpochAsync"/>
    /// <remarks>For several callers at once; one group after the other.</remarks>
    public async Task<IReadOnlyList<long>> NextEpochsAsync(IReadOnlyList<long> above)
    {
        ThrowIfAway();
        // Not below the time in seconds: an epoch that somebody has lowered would make every status look older than those of before.
        var floor = Math.Max(Interlocked.Read(ref lastEpoch), clock.GetUtcNow().ToUnixTimeSeconds());
        var taken = await keys.NextEpochsAsync(above.Select(least => Math.Max(least, floor)));
        if (taken.Any(epoch => epoch is null))
        {
            throw RedisAwayException.Lost();
        }

        Interlocked.Exchange(ref lastEpoch, Math.Max(lastEpoch, taken.Max()!.Value));
        return [.. taken.Select(epoch => epoch!.Value)];
    }

    /// <summary>Every server that owns keys.</summary>
    /// <exception cref="RedisAwayException">One is away, or we have not caught up with it yet.</exception>
    public IReadOnlyList<IServer> Primaries()
    {
        ThrowIfAway();
        return connection.Primaries();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stopping.Dispose();
        pulses.Dispose();
        losses.Dispose();
    }

    /// <summary>Raises the pulses. Where all is well, everything that was acknowledged before is on every server from then on.</summary>
    /// <returns>Whether no server has lost anything that is not dealt with.</returns>
    private async Task<bool> RaiseAsync()
    {
        var before = known.BeginLook();
        await pulses.RaiseAsync();
        if (losses.IsPending)
        {
            return false;
        }

        if (isSettled && !listener.HasGap)
        {
            known.Confirm(before);
        }

        return true;
    }

    private void Hear(ReadOnlySpan<byte> key)
    {
        if (keys.TryReadKey(key, out var uid))
        {
            lookout.Ring(uid, key);
        }
        else
        {
            pulses.Hear(key);
        }
    }

    /// <summary>Two who own the same shards would write over each other for ever.</summary>
    private void NoteDaemon(DaemonName daemon)
    {
        if (!daemon.SharesWith(keys.Self) && (rivalToldAt is not { } toldAt || clock.GetElapsedTime(toldAt) >= RivalPause))
        {
            rivalToldAt = clock.GetTimestamp();
            LogRival(daemon, connection.Address);
        }
    }

    private async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                if (away is not null || listener.HasGap)
                {
                    await connection.ConnectAsync(stop);
                    await SettleAsync(stop);
                    Open();
                }

                await KeepAsync(stop);
            }
            catch (RedisAwayException e)
            {
                Close(e);
                await Task.Delay(RedisConnection.Retry, clock, stop);
            }
            catch (Exception e) when (!stop.IsCancellationRequested)
            {
                LogBroken(e);
                Close(new RedisAwayException(e.Message, isRefusal: false, e));
                await Task.Delay(Pulse, clock, stop);
            }
        }
    }

    /// <summary>Gets from nothing, or from whatever happened, to where every change is heard.</summary>
    private async Task SettleAsync(CancellationToken stop)
    {
        isSettled = false;
        var isFirst = lookout.Incarnation == 0;
        var servers = connection.Primaries();
        await listener.ListenAsync();
        var incarnation = await FindLossAsync(isFirst);
        if (await notifications.TurnOnAsync(servers))
        {
            LogTurnedOn(connection.Address);
        }

        var hears = await pulses.AreHeardAsync(servers, stop);
        for (var again = 0; !hears && again < 3; again++)
        {
            await listener.ListenAsync(); // the connection for listening may not have been there yet
            hears = await pulses.AreHeardAsync(servers, stop);
        }

        hears &= await notifications.AreOnAsync(servers) != false;
        if (isFirst && !hears)
        {
            throw new RedisAwayException($"Redis at {connection.Address} {WhyDeaf()}.", isRefusal: true);
        }

        NoteHearing(hears);
        var found = losses.Found; // what is lost from here on may have been looked at before: then once more
        if (!isFirst)
        {
            Interlocked.Increment(ref gaps);
            await losses.LookAsync(
                found,
                async isAfterLoss =>
                {
                    await lookout.SweepAsync(servers, IsIntactAsync, isAfterLoss ? After.Loss : After.Gap, isUrgent: true, stop);
                    isSettled = true;
                },
                stop);
        }

        lookout.Incarnation = incarnation;
        isSettled = true;
    }

    /// <summary>Compares markers and pulses with what we remember, and puts them right.</summary>
    /// <returns>The incarnation that the database has.</returns>
    private async Task<ulong> FindLossAsync(bool isFirst)
    {
        isExchanged = false;
        var ours = isFirst ? BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))) | 1 : lookout.Incarnation;
        var (incarnation, isMade) = await keys.OpenMarkerAsync(ours, Interlocked.Read(ref lastEpoch));
        if (!isFirst && isMade)
        {
            losses.Note("its marker is gone");
        }
        else if (!isFirst && incarnation != ours)
        {
            LogOther(incarnation, ours);
            known.Clear();
            await pulses.ForgetAsync();
            lookout.Incarnation = incarnation;
            losses.Withdraw();
        }

        await pulses.RaiseAsync();
        return incarnation;
    }

    /// <summary>Keeps up until there is a reason to settle anew.</summary>
    private async Task KeepAsync(CancellationToken stop)
    {
        using var round = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var watching = lookout.WatchAsync(IsIntactAsync, round.Token);
        var sweeping = SweepEverySoOftenAsync(round.Token);
        try
        {
            var sent = (At: clock.GetTimestamp(), Heard: pulses.Heard());
            var sweptAt = clock.GetTimestamp();
            while (!listener.HasGap && await IsIntactAsync())
            {
                var alarm = await Task.WhenAny(watching, sweeping, suspicion.Task, connection.Interrupted, Task.Delay(Pulse, clock, stop));
                stop.ThrowIfCancellationRequested();
                if (losses.IsPending || isExchanged)
                {
                    break;
                }

                if (alarm == watching || alarm == sweeping)
                {
                    await alarm; // it ends only by failing
                }

                suspicion = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                var isHeard = pulses.AreHeardSince(sent.Heard);
                var isLate = clock.GetElapsedTime(sent.At) > HearingPatience;
                var tells = await notifications.AreOnAsync(connection.Primaries());
                if (isDeaf ? isHeard && tells != false : (isLate && !isHeard) || tells == false)
                {
                    break; // it hears again, or not any more
                }

                if (isHeard || isLate)
                {
                    sent = (clock.GetTimestamp(), pulses.Heard());
                }

                if (isDeaf && clock.GetElapsedTime(sweptAt) >= Pulse)
                {
                    await lookout.SweepAsync(connection.Primaries(), IsIntactAsync, After.Nothing, isUrgent: true, stop);
                    sweptAt = clock.GetTimestamp();
                }
            }
        }
        finally
        {
            await round.CancelAsync();
            await Task.WhenAll(watching, sweeping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (!listener.HasGap)
        {
            await SettleAsync(stop);
        }
    }

    private async Task SweepEverySoOftenAsync(CancellationToken stop)
    {
        while (true)
        {
            var isOverflown = false;
            for (var rested = TimeSpan.Zero; (rested < sweep && !isOverflown) || isDeaf; rested += Pulse)
            {
                await Task.Delay(sweep < Pulse ? sweep : Pulse, clock, stop);
                isOverflown |= lookout.HasOverflown();
            }

            if (isOverflown)
            {
                Interlocked.Increment(ref gaps);
                LogOverflown(RedisLookout.MaxRung);
            }

            await lookout.SweepAsync(connection.Primaries(), IsIntactAsync, After.Nothing, isUrgent: false, stop);
        }
    }

    private void Open()
    {
        if (away is not null)
        {
            away = null;
            LogThere(connection.Address, clock.GetElapsedTime(awaySince).TotalSeconds);
        }
    }

    private void Close(RedisAwayException reason)
    {
        if (away is null)
        {
            awaySince = clock.GetTimestamp();
        }

        var isNews = away?.Message != reason.Message;
        away = reason;
        if (isNews)
        {
            LogAway(reason.Message);
        }
    }

    private string WhyDeaf() => listener.Refused is { } channel
        ? $"does not let this user listen to {channel}, which its rights must name exactly so"
        : "sends no keyspace notifications, and this user may not turn them on. Add the line 'notify-keyspace-events KA' to its redis.conf, or let this user run CONFIG";

    private void NoteHearing(bool hears)
    {
        if (hears == isDeaf)
        {
            isDeaf = !hears;
            if (isDeaf)
            {
                LogDeaf(connection.Address, WhyDeaf());
            }
            else
            {
                LogHears(connection.Address);
            }
        }
    }

    [LoggerMessage(4101, LogLevel.Error, "{Reason} It is tried until it is back; statuses go on in memory meanwhile, and a start waits.")]
    private partial void LogAway(string reason);

    [LoggerMessage(4102, LogLevel.Information, "Redis at {Address} is there, after {Seconds:0.0} s.")]
    private partial void LogThere(string address, double seconds);

    [LoggerMessage(4109, LogLevel.Critical, "Keeping up with Redis met what must not be, and begins anew")]
    private partial void LogBroken(Exception failure);

    [LoggerMessage(4104, LogLevel.Error, "The database is another one now: incarnation {Incarnation:x16} in the place of {Ours:x16}. What it holds is taken as the truth.")]
    private partial void LogOther(ulong incarnation, ulong ours);

    [LoggerMessage(4105, LogLevel.Warning, "Redis at {Address} has lost what was written to it: {How}. Everything is written again.")]
    private partial void LogLoss(string address, string how);

    [LoggerMessage(4106, LogLevel.Error, "Redis at {Address} is swept every second, since it {Why}.")]
    private partial void LogDeaf(string address, string why);

    [LoggerMessage(4107, LogLevel.Information, "Redis at {Address} sends keyspace notifications again.")]
    private partial void LogHears(string address);

    [LoggerMessage(4110, LogLevel.Warning, "More than {Keys} keys changed before they could be looked at: every key is looked at.")]
    private partial void LogOverflown(int keys);

    [LoggerMessage(4111, LogLevel.Error, "Another daemon, {Daemon}, takes the statuses in Redis at {Address} for its own, and each takes what the other writes for another program's. Give each its own database, or set CLUSTER.kind: redis and one CLUSTER.id in both.")]
    private partial void LogRival(DaemonName daemon, string address);

    [LoggerMessage(4108, LogLevel.Warning, "Redis at {Address} sent no keyspace notifications: they are turned on now, until it restarts. Add the line 'notify-keyspace-events KA' to its redis.conf.")]
    private partial void LogTurnedOn(string address);
}
