using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
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

    /// <summary>Keys of pulses and probes are some a server; others that somebody makes are not to fill the memory.</summary>
    private const int MaxHeard = 10_000;

    /// <summary>How long a ring may take to be heard; and one that is tried, until it is tried again.</summary>
    private static readonly TimeSpan HearingPatience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan TrialPatience = TimeSpan.FromMilliseconds(300);

    private readonly RedisConnection connection;
    private readonly RedisStatusKeys keys;
    private readonly KnownValues known;
    private readonly RedisLookout lookout;
    private readonly RedisListener listener;
    private readonly TimeSpan sweep;
    private readonly TimeProvider clock;
    private readonly ILogger log;
    private readonly CancellationTokenSource stopping = new();
    private readonly SemaphoreSlim writing = new(1);
    private readonly SemaphoreSlim pulsing = new(1);
    private readonly Dictionary<string, long> pulses = []; // by key, under the semaphore
    private readonly ConcurrentDictionary<string, int> heard = new();
    private volatile RedisAwayException? away = new("Redis was not reached yet.", isRefusal: false);
    private volatile bool isDeaf;
    private volatile bool isLossPending;
    private volatile bool isExchanged;
    private TaskCompletionSource suspicion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long lossesFound;
    private long losses;
    private long gaps;
    private long awaySince;
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
        listener = new RedisListener(connection, keys.Globs, Hear);
    }

    /// <inheritdoc cref="IStatusStore.Losses"/>
    public long Losses => Interlocked.Read(ref losses);

    /// <summary>Times that something may have been missed, so that every key was looked at.</summary>
    public long Gaps => Interlocked.Read(ref gaps);

    /// <summary>Whether the database answers.</summary>
    public bool IsThere => away is null;

    /// <summary>Whether the database sends no notifications, so that it is swept every second.</summary>
    public bool IsDeaf => isDeaf;

    /// <inheritdoc cref="IStatusStore.Trouble"/>
    public string? Trouble =>
        away is not null ? "Redis is away; the log says why (event 4101)"
        : isLossPending ? "Redis has lost statuses, they are written again (event 4105)"
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

    /// <summary>Runs writes, never beside the look at what a server has lost: what that look has found must stay so until everything is written again.</summary>
    /// <exception cref="RedisAwayException">The database is away, or what it has lost was not found yet.</exception>
    public async Task<T> WriteAsync<T>(Func<Task<T>> write)
    {
        await writing.WaitAsync();
        try
        {
            ThrowIfAway();
            return !isLossPending ? await write() : throw RedisAwayException.Lost();
        }
        finally
        {
            writing.Release();
        }
    }

    /// <summary>Somebody met a failure: look now.</summary>
    public void Suspect() => suspicion.TrySetResult();

    /// <summary>Whether the database still is the one that we filled, on every server: only then is a key that is not there one that was deleted.</summary>
    public async Task<bool> IsIntactAsync()
    {
        switch (await keys.ReadIncarnationAsync())
        {
            case null:
                NoteLoss("its marker is gone");
                return false;
            case var found when found != lookout.Incarnation:
                isExchanged = true;
                return false;
            default:
                return await PulseAsync();
        }
    }

    /// <summary>After writes: notes at each server that they were made, so that one which comes back without them is found out.</summary>
    /// <exception cref="RedisAwayException">A server has lost what it had.</exception>
    public async Task ConfirmAsync()
    {
        if (!await PulseAsync())
        {
            throw RedisAwayException.Lost();
        }
    }

    /// <inheritdoc cref="IStatusStore.NextEpochAsync"/>
    public async Task<long> NextEpochAsync(long above)
    {
        ThrowIfAway();
        var epoch = await keys.NextEpochAsync(Math.Max(above, Interlocked.Read(ref lastEpoch)));
        if (epoch is not { } taken)
        {
            Suspect();
            throw RedisAwayException.Lost();
        }

        for (var before = Interlocked.Read(ref lastEpoch); before < taken; before = Interlocked.Read(ref lastEpoch))
        {
            Interlocked.CompareExchange(ref lastEpoch, taken, before);
        }

        return taken;
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
        pulsing.Dispose();
        writing.Dispose();
    }

    private void Hear(ReadOnlySpan<byte> key)
    {
        if (keys.TryReadKey(key, out var uid))
        {
            lookout.Ring(uid, key);
        }
        else if (heard.Count < MaxHeard)
        {
            heard.AddOrUpdate(Encoding.UTF8.GetString(key), 1, static (_, count) => count + 1);
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
        var isFirst = lookout.Incarnation == 0;
        var servers = connection.Primaries();
        await listener.ListenAsync();
        var incarnation = await FindLossAsync(isFirst);
        if (await new RedisNotifications(connection).TurnOnAsync(servers))
        {
            LogTurnedOn(connection.Address);
        }

        var hears = await HearsAsync(servers, stop);
        for (var again = 0; !hears && again < 3; again++)
        {
            await listener.ListenAsync(); // the connection for listening may not have been there yet
            hears = await HearsAsync(servers, stop);
        }

        if (isFirst && !hears)
        {
            throw new RedisAwayException(
                $"Redis at {connection.Address} sends no keyspace notifications, and this user may not turn them on. Add the line 'notify-keyspace-events KA' to its redis.conf, or let this user run CONFIG.", isRefusal: true);
        }

        NoteHearing(hears);
        var found = Interlocked.Read(ref lossesFound); // what is lost from here on may have been looked at before: then once more
        if (!isFirst)
        {
            Interlocked.Increment(ref gaps);
            await SweepAfterAsync(servers, found, stop);
        }

        lookout.Incarnation = incarnation;
    }

    private async Task SweepAfterAsync(IReadOnlyList<IServer> servers, long found, CancellationToken stop)
    {
        if (!isLossPending)
        {
            await lookout.SweepAsync(servers, IsIntactAsync, After.Gap, isUrgent: true, stop);
            return;
        }

        await writing.WaitAsync(stop);
        try
        {
            await lookout.SweepAsync(servers, IsIntactAsync, After.Loss, isUrgent: true, stop);
            if (found == Interlocked.Read(ref lossesFound))
            {
                isLossPending = false;
                Interlocked.Increment(ref losses);
            }
        }
        finally
        {
            writing.Release();
        }
    }

    /// <summary>Compares markers and pulses with what we remember, and puts them right.</summary>
    /// <returns>The incarnation that the database has.</returns>
    private async Task<ulong> FindLossAsync(bool isFirst)
    {
        isExchanged = false;
        var ours = isFirst ? BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))) | 1 : lookout.Incarnation;
        var (incarnation, _, isMade) = await keys.OpenMarkerAsync(ours, Interlocked.Read(ref lastEpoch));
        if (!isFirst && isMade)
        {
            NoteLoss("its marker is gone");
        }
        else if (!isFirst && incarnation != ours)
        {
            LogOther(incarnation, ours);
            known.Clear();
            await pulsing.WaitAsync();
            pulses.Clear();
            pulsing.Release();
            lookout.Incarnation = incarnation;
            isLossPending = false;
        }

        await PulseAsync();
        return incarnation;
    }

    /// <summary>Raises the pulse of each server. One that is lower than it was has lost what was written meanwhile.</summary>
    /// <returns>Whether each is as high as it should be.</returns>
    private async Task<bool> PulseAsync()
    {
        await pulsing.WaitAsync();
        try
        {
            foreach (var server in connection.Primaries())
            {
                var (key, _) = keys.KeysOn(server);
                var pulse = await keys.PulseAsync(key);
                if (pulses.TryGetValue(key, out var seen) && pulse <= seen)
                {
                    NoteLoss(string.Create(CultureInfo.InvariantCulture, $"{server.EndPoint} is {seen - pulse + 1} steps behind"));
                    pulse = seen + 1;
                    await keys.SetPulseAsync(key, pulse);
                }

                pulses[key] = pulse;
            }

            return !isLossPending;
        }
        finally
        {
            pulsing.Release();
        }
    }

    /// <summary>Whether every server's rings are heard, of all kinds that we need.</summary>
    private async Task<bool> HearsAsync(IReadOnlyList<IServer> servers, CancellationToken stop)
    {
        foreach (var server in servers)
        {
            var (pulse, probe) = keys.KeysOn(server);
            var (pulsesHeard, probesHeard) = (CountOf(pulse), CountOf(probe));
            await PulseAsync();
            await keys.ProbeAsync(probe);
            var since = clock.GetTimestamp();
            while (CountOf(pulse) == pulsesHeard || CountOf(probe) < probesHeard + 2)
            {
                if (clock.GetElapsedTime(since) > TrialPatience)
                {
                    return false;
                }

                await Task.Delay(TimeSpan.FromMilliseconds(5), clock, stop);
            }
        }

        return true;
    }

    /// <summary>Keeps up until there is a reason to settle anew.</summary>
    private async Task KeepAsync(CancellationToken stop)
    {
        using var round = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var watching = lookout.WatchAsync(IsIntactAsync, round.Token);
        var sweeping = SweepEverySoOftenAsync(round.Token);
        try
        {
            (long At, Dictionary<string, int> Heard)? sent = null;
            while (!listener.HasGap && !isLossPending)
            {
                var alarm = await Task.WhenAny(watching, sweeping, suspicion.Task, connection.Interrupted, Task.Delay(Pulse, clock, stop));
                stop.ThrowIfCancellationRequested();
                if (isLossPending || isExchanged)
                {
                    break;
                }

                if (alarm == watching || alarm == sweeping)
                {
                    await alarm; // it ends only by failing
                }

                suspicion = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                var isHeard = sent is { } last && last.Heard.All(key => CountOf(key.Key) > key.Value);
                if (isHeard && isDeaf)
                {
                    break;
                }

                if (sent is { } unheard && !isHeard && clock.GetElapsedTime(unheard.At) > HearingPatience)
                {
                    if (!isDeaf)
                    {
                        break;
                    }

                    await lookout.SweepAsync(connection.Primaries(), IsIntactAsync, After.Nothing, isUrgent: true, stop);
                    isHeard = true; // asked again from here on
                }

                if (sent is null || isHeard)
                {
                    sent = (clock.GetTimestamp(), connection.Primaries().Select(server => keys.KeysOn(server).Pulse).ToDictionary(key => key, CountOf));
                }

                if (!await IsIntactAsync())
                {
                    break;
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
            for (var rested = TimeSpan.Zero; (rested < sweep && !lookout.HasOverflown()) || isDeaf; rested += Pulse)
            {
                await Task.Delay(sweep < Pulse ? sweep : Pulse, clock, stop);
            }

            await lookout.SweepAsync(connection.Primaries(), IsIntactAsync, After.Nothing, isUrgent: false, stop);
        }
    }

    private int CountOf(string key) => heard.GetValueOrDefault(key);

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

    private void NoteLoss(string how)
    {
        Interlocked.Increment(ref lossesFound);
        if (!isLossPending)
        {
            isLossPending = true;
            LogLoss(connection.Address, how);
        }
    }

    private void NoteHearing(bool hears)
    {
        if (hears == isDeaf)
        {
            isDeaf = !hears;
            if (isDeaf)
            {
                LogDeaf(connection.Address);
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

    [LoggerMessage(4106, LogLevel.Error, "Redis at {Address} sends no keyspace notifications, and this user may not turn them on: it is swept every second. Add the line 'notify-keyspace-events KA' to its redis.conf.")]
    private partial void LogDeaf(string address);

    [LoggerMessage(4107, LogLevel.Information, "Redis at {Address} sends keyspace notifications again.")]
    private partial void LogHears(string address);

    [LoggerMessage(4108, LogLevel.Warning, "Redis at {Address} sent no keyspace notifications: they are turned on now, until it restarts. Add the line 'notify-keyspace-events KA' to its redis.conf.")]
    private partial void LogTurnedOn(string address);
}
