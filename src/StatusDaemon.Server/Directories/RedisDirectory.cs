using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StatusDaemon.Privileges;
using StatusDaemon.Redis;

namespace StatusDaemon.Directories;

/// <summary>The directory in the privilege service's Redis, which is only read, followed while it changes (docs/operations.md, "Privilege database"; decision 0018).</summary>
/// <remarks>
/// Keys ring when they change, and what they say is read then: truth is the value and never the bell. After each interruption it listens, reads everything, and only then what rang meanwhile.
/// A sweep in the background finds what a lost bell hid. While the database is away or says what is not believed, the last good snapshot stays in force.
/// </remarks>
internal sealed partial class RedisDirectory : BackgroundService, ISubscriberDirectory, IAsyncDisposable
{
    /// <summary>Items that may ring before they are read; more of them make a sweep.</summary>
    private const int MaxRung = 1_000_000;

    /// <summary>Items that are read at one moment. What a transaction changed is seen whole, unless more than so many wait just then and the cut goes through it.</summary>
    private const int MaxTaken = 1024;

    /// <summary>Sweeps that are left out while notifications come.</summary>
    private const int SweepsLeftOut = 11;

    /// <summary>How long a first ring waits for others of the same change.</summary>
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(2);

    /// <summary>Between two snapshots: each wakes every shard.</summary>
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(20);

    /// <summary>How long a sweep in the background rests after each page.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(50);

    private readonly PrivilegeRedisOptions options;
    private readonly TimeProvider clock;
    private readonly ILogger<RedisDirectory> log;
    private readonly RedisConnection connection;
    private readonly PrivilegeKeys keys;
    private readonly PrivilegeReader reader;
    private readonly RedisListener listener;
    private readonly RedisNotifications notifications;
    private readonly RungKeys<PrivilegeItem> bell = new(MaxRung);
    private readonly RemovalDoubt doubt;
    private readonly UnfitEntries unfit;
    private readonly PrivilegesInForce inForce;
    private volatile TaskCompletionSource wish = NewSignal();
    private volatile bool isDeaf;
    private long wanted; // RefreshAsync's calls so far
    private long gaps = -1; // the start is none
    private long missed;
    private long sweeps;
    private bool isDisposed;

    private RedisDirectory(PrivilegeRedisOptions options, DirectoryPolicy policy, string? realm, TimeProvider clock, ILogger<RedisDirectory> log)
    {
        this.options = options;
        this.clock = clock;
        this.log = log;
        connection = new RedisConnection(options.Server, "PRIVILEGE_REDIS");
        keys = new PrivilegeKeys(options, realm);
        reader = new PrivilegeReader(connection, keys);
        listener = new RedisListener(connection, keys.Globs, Hear);
        notifications = new RedisNotifications(connection);
        doubt = new RemovalDoubt(options.Sweep, clock);
        unfit = new UnfitEntries(log);
        inForce = new PrivilegesInForce(connection.Address, policy, clock, log);
    }

    /// <inheritdoc/>
    public DirectorySnapshot Current => inForce.Current;

    /// <inheritdoc/>
    public bool IsThere => inForce.IsThere;

    /// <inheritdoc/>
    public string? LastProblem => inForce.Problem;

    /// <inheritdoc/>
    public string? Trouble => inForce.Trouble ?? (isDeaf ? $"the privilege database tells no changes, it is read every {options.Sweep.TotalSeconds:0.#} s (event 5104)" : null);

    /// <summary>How long the change that waits longest has waited; zero while none waits.</summary>
    public TimeSpan Lag => bell.OldestAt is { } at ? clock.GetElapsedTime(at) : TimeSpan.Zero;

    /// <summary>Times that everything was read.</summary>
    public long Sweeps => Interlocked.Read(ref sweeps);

    /// <summary>Whether the database tells no changes, or nobody knows whether it does.</summary>
    public bool IsDeaf => isDeaf;

    /// <summary>Connects and reads the directory. A server that is not there is waited for in the background, once it is started.</summary>
    /// <param name="realm">The realm of names whose keys have none; null where they have.</param>
    /// <exception cref="RedisAwayException">The server is there and refuses us.</exception>
    public static async Task<RedisDirectory> OpenAsync(
        PrivilegeRedisOptions options, DirectoryPolicy policy, string? realm, TimeProvider clock, ILogger<RedisDirectory> log, CancellationToken stop)
    {
        var directory = new RedisDirectory(options, policy, realm, clock, log);
        try
        {
            await directory.SettleAsync(stop);
        }
        catch (RedisAwayException e) when (!e.IsRefusal)
        {
            directory.inForce.Close(e, ticket: 0);
        }
        catch
        {
            await directory.DisposeAsync();
            throw;
        }

        return directory;
    }

    /// <summary>Makes the instruments of docs/operations.md, "Metrics".</summary>
    public void Measure(Meter meter)
    {
        meter.CreateObservableGauge("statusd.directory.up", () => inForce.IsAway ? 0 : 1, "{server}", "Whether the privilege database answers: 1 or 0.");
        meter.CreateObservableGauge("statusd.directory.deaf", () => isDeaf ? 1 : 0, "{server}", "Whether it tells no changes, so that it is read again and again: 1 or 0.");
        meter.CreateObservableGauge("statusd.directory.lag", () => Lag.TotalSeconds, "s", "How long the change of it that waits longest has waited.");
        meter.CreateObservableGauge("statusd.directory.waiting", () => bell.Count, "{key}", "Keys of it that changed and were not read since.");
        meter.CreateObservableGauge("statusd.directory.subscribers", () => Current.Subscribers.Count, "{subscriber}", "Subscribers in force.");
        meter.CreateObservableGauge("statusd.directory.differences", () => Current.ShownOtherwise, "{subscriber}", "Subscribers whose hash says another name or other numbers than those that lead to them.");
        meter.CreateObservableGauge("statusd.directory.unfit", () => unfit.Count, "{key}", "Keys that can't be taken as they are, at most 10,000.");
        meter.CreateObservableCounter("statusd.directory.gaps", () => Math.Max(0, Interlocked.Read(ref gaps)), "{gap}", "Times that changes may have been missed, so that everything was read.");
        meter.CreateObservableCounter("statusd.directory.missed", () => Interlocked.Read(ref missed), "{change}", "Changes that no notification told, found by reading everything.");
    }

    /// <inheritdoc/>
    /// <remarks>
    /// Where notifications come, what rang before the call is read, and everything after the answer, since <c>FLUSHALL</c> and <c>SWAPDB</c> ring nothing. Where they do not, and in a cluster, everything is
    /// read first, by a reading that began after the call, once for all who ask meanwhile.
    /// </remarks>
    public async Task<DirectorySnapshot> RefreshAsync(CancellationToken stop)
    {
        var ticket = Interlocked.Increment(ref wanted);
        wish.TrySetResult();
        return await inForce.WaitAsync(ticket, stop);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<DirectorySnapshot> FollowAsync(CancellationToken stop) => inForce.FollowAsync(stop);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!isDisposed)
        {
            isDisposed = true;
            await StopAsync(CancellationToken.None);
            Dispose();
            await connection.DisposeAsync();
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var ticket = Interlocked.Read(ref wanted);
            try
            {
                if (inForce.IsAway || listener.HasGap)
                {
                    await SettleAsync(stop);
                }

                await KeepAsync(stop);
            }
            catch (RedisAwayException e)
            {
                inForce.Close(e, ticket);
                await Task.Delay(RedisConnection.Retry, clock, stop);
            }
            catch (Exception e) when (!stop.IsCancellationRequested)
            {
                LogBroken(e);
                inForce.Close(new RedisAwayException(e.Message, isRefusal: false, e), ticket);
                await Task.Delay(options.Sweep, clock, stop);
            }
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Gets from nothing, or from whatever happened, to where every change is heard.</summary>
    private async Task SettleAsync(CancellationToken stop)
    {
        await connection.ConnectAsync(stop);
        await ListenAsync(stop);
        await AskWhetherItTellsAsync();
        Interlocked.Increment(ref gaps);
        await SweepAsync(isUrgent: true, stop);
    }

    /// <summary>Begins to listen. Outside of a cluster what rings is heard from here on: the answer to a PING came after that to the wish to hear it.</summary>
    /// <remarks>In a cluster the connections for listening may come later; the sweep after the first pause finds what rang before that.</remarks>
    private async Task ListenAsync(CancellationToken stop)
    {
        if (connection.IsCluster)
        {
            await listener.ListenAsync(); // no answer of one server would tell that all are heard, and the library may find none to ask
            return;
        }

        for (var patience = clock.GetTimestamp(); ;)
        {
            try
            {
                await listener.CatchUpAsync(); // the connection for listening may come a moment after the one for commands
                break;
            }
            catch (RedisAwayException) when (clock.GetElapsedTime(patience) < RedisConnection.Patience)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(10), clock, stop);
            }
        }

        await listener.ListenAsync();
        await listener.CatchUpAsync();
    }

    /// <summary>Reads what rings, and everything where that is due, until something may have been missed.</summary>
    private async Task KeepAsync(CancellationToken stop)
    {
        var tick = Task.Delay(options.Sweep, clock, stop);
        var leftOut = SweepsLeftOut; // the first sweep is due soon
        while (!listener.HasGap)
        {
            if (Interlocked.Read(ref wanted) <= inForce.Tried) // else somebody came during a sweep that could not answer
            {
                await Task.WhenAny(bell.Rung, wish.Task, tick, connection.Interrupted);
            }

            stop.ThrowIfCancellationRequested();
            if (listener.HasGap)
            {
                return;
            }

            if (IsRefreshWanted())
            {
                await AnswerRefreshAsync(sweep: null);
                await SweepAsync(isUrgent: true, stop);
            }
            else if (bell.HasOverflown())
            {
                await SweepAsync(isUrgent: true, stop);
            }
            else if (bell.Rung.IsCompleted)
            {
                await GatherAsync(stop);
                await (inForce.IsThere ? ReadRungAsync(sweep: null) : SweepAsync(isUrgent: true, stop));
            }

            if (tick.IsCompleted)
            {
                var wasDeaf = isDeaf;
                await AskWhetherItTellsAsync();
                if (wasDeaf || isDeaf || !inForce.IsThere || doubt.IsOpen)
                {
                    await SweepAsync(isUrgent: true, stop);
                }
                else if (leftOut++ >= SweepsLeftOut)
                {
                    leftOut = 0;
                    await SweepAsync(isUrgent: false, stop);
                }

                tick = Task.Delay(options.Sweep, clock, stop);
            }
        }
    }

    private bool IsRefreshWanted()
    {
        if (wish.Task.IsCompleted)
        {
            wish = NewSignal(); // before the look at the number, which was raised before the signal was given
        }

        return Interlocked.Read(ref wanted) > inForce.Tried;
    }

    /// <summary>Answers who wants to know of all that was said before, where rings tell it.</summary>
    /// <param name="sweep">The sweep that goes on meanwhile; null if none does.</param>
    private async Task AnswerRefreshAsync(PrivilegeSweep? sweep)
    {
        var ticket = Interlocked.Read(ref wanted);
        await AskWhetherItTellsAsync();
        if (inForce.IsThere && await ReadUpToNowAsync(sweep) && !listener.HasGap && !doubt.IsOpen)
        {
            inForce.Answer(ticket);
        }
    }

    /// <summary>Reads all that rang before the call.</summary>
    /// <returns>Whether nothing else can have changed: nobody knows where rings do not tell, or not at once, as in a cluster.</returns>
    private async Task<bool> ReadUpToNowAsync(PrivilegeSweep? sweep)
    {
        if (isDeaf || connection.IsCluster)
        {
            return false;
        }

        await listener.CatchUpAsync();
        for (var left = bell.Count; left > 0; left -= MaxTaken)
        {
            await ReadRungAsync(sweep);
        }

        return true;
    }

    /// <summary>Notes a key that rang. Any thread. One with a bad name is told of by the next sweep.</summary>
    private void Hear(ReadOnlySpan<byte> key)
    {
        if (keys.TryRead(key, out var item, out _))
        {
            bell.Add(item, clock.GetTimestamp());
        }
    }

    /// <summary>Lets the other keys of the same change ring, and the shards take the last one.</summary>
    private async Task GatherAsync(CancellationToken stop)
    {
        var pause = Between - inForce.Age;
        await Task.Delay(pause > Gather ? pause : Gather, clock, stop);
    }

    /// <summary>Reads what rang, and puts it in force.</summary>
    /// <param name="sweep">The sweep that goes on meanwhile, for which it is news too; null if none does.</param>
    private async Task ReadRungAsync(PrivilegeSweep? sweep)
    {
        var rung = bell.Take(MaxTaken);
        if (rung.Count == 0)
        {
            return;
        }

        try
        {
            PrivilegeItem[] items = [.. rung.Select(ring => ring.Key)];
            var facts = await ReadAsync(items);
            if (inForce.IsThere)
            {
                inForce.Put(doubt.Weigh(Current, items.Zip(facts).ToDictionary(), keysSeen: null), doubt.Problem);
            }

            foreach (var (item, fact) in items.Zip(facts))
            {
                sweep?.See(item);
                sweep?.Note(Current, item, fact);
            }
        }
        catch
        {
            bell.PutBack();
            throw;
        }

        bell.Done();
    }

    /// <summary>Reads everything, and what rings meanwhile.</summary>
    /// <param name="isUrgent">Without rests.</param>
    private async Task SweepAsync(bool isUrgent, CancellationToken stop)
    {
        var ticket = Interlocked.Read(ref wanted);
        var sweep = new PrivilegeSweep();
        foreach (var server in connection.Primaries())
        {
            await foreach (var page in reader.KeysAsync(server))
            {
                stop.ThrowIfCancellationRequested();
                await ReadAsync(sweep, [.. ItemsOf(page, sweep).Where(sweep.See)]);
                var rest = isUrgent ? Task.CompletedTask : Task.Delay(Rest, clock, stop);
                do
                {
                    if (wish.Task.IsCompleted && IsRefreshWanted())
                    {
                        await AnswerRefreshAsync(sweep);
                    }

                    await Task.WhenAny(rest, wish.Task, bell.Rung);
                    if (bell.Rung.IsCompleted)
                    {
                        await GatherAsync(stop);
                        await ReadRungAsync(sweep);
                    }
                }
                while (!rest.IsCompleted && !listener.HasGap);
            }
        }

        // A look at everybody takes some tenths of a second with many subscribers; what rings must not wait for it.
        var current = Current;
        var looking = Task.Run(() => sweep.Unseen(current), stop);
        while (!looking.IsCompleted)
        {
            await Task.WhenAny(looking, bell.Rung);
            if (bell.Rung.IsCompleted)
            {
                await GatherAsync(stop);
                await ReadRungAsync(sweep);
            }
        }

        foreach (var unseen in (await looking).Chunk(PrivilegeReader.KeysPerPage))
        {
            await ReadAsync(sweep, unseen);
            await ReadRungAsync(sweep);
            stop.ThrowIfCancellationRequested();
        }

        await ReadUpToNowAsync(sweep); // what changed while it was read in parts is seen whole
        unfit.ForgetUnless(sweep.HasSeen);
        Interlocked.Increment(ref sweeps);
        if (inForce.IsThere && !isUrgent)
        {
            Interlocked.Add(ref missed, sweep.Facts.Count);
        }

        inForce.Open(doubt.Weigh(Current, sweep.Facts, sweep.Seen), doubt.Problem, ticket);
    }

    private async Task ReadAsync(PrivilegeSweep sweep, PrivilegeItem[] items)
    {
        var facts = items.Length == 0 ? [] : await reader.GlanceAsync(items);
        foreach (var (item, fact) in items.Zip(facts))
        {
            unfit.Note(item, fact.Problem);
            sweep.Note(Current, item, fact);
        }

        if (inForce.IsThere)
        {
            // Only what was read at one moment is put in the place of something else.
            foreach (var news in items.Where(sweep.Facts.ContainsKey).ToArray().Chunk(PrivilegeReader.ItemsPerRead))
            {
                foreach (var (item, fact) in news.Zip(await ReadAsync(news)))
                {
                    sweep.Note(Current, item, fact);
                }
            }
        }
    }

    /// <summary>Reads items, and tells of those that can't be taken.</summary>
    private async Task<PrivilegeFact[]> ReadAsync(PrivilegeItem[] items)
    {
        var facts = items.Length == 0 ? [] : await reader.ReadAsync(items);
        foreach (var (item, fact) in items.Zip(facts))
        {
            unfit.Note(item, fact.Problem);
        }

        return facts;
    }

    private IEnumerable<PrivilegeItem> ItemsOf(IEnumerable<byte[]> page, PrivilegeSweep sweep)
    {
        foreach (var key in page)
        {
            if (keys.TryRead(key, out var item, out var problem))
            {
                yield return item;
            }
            else if (problem is not null)
            {
                sweep.See(item); // it is there, and was told
                unfit.NoteKey(key, item, problem);
            }
        }
    }

    private async Task AskWhetherItTellsAsync()
    {
        var why = (listener.Refused, await notifications.AreOnAsync(connection.Primaries())) switch
        {
            ({ } channel, _) => $"does not let this user listen to {channel}, which its rights must name exactly so",
            (_, null) => "may not be asked whether it sends keyspace notifications: let this user run CONFIG GET",
            (_, false) => "sends no keyspace notifications, or not all that are needed: add the line 'notify-keyspace-events KA' to its redis.conf",
            _ => null,
        };
        if (why is null == isDeaf)
        {
            isDeaf = why is not null;
            if (isDeaf)
            {
                LogDeaf(connection.Address, options.Sweep.TotalSeconds, why!);
            }
            else
            {
                LogHears(connection.Address);
            }
        }
    }

    [LoggerMessage(5104, LogLevel.Warning, "The privilege database at {Address} is read whole every {Seconds:0.#} s, since it {Why}.")]
    private partial void LogDeaf(string address, double seconds, string why);

    [LoggerMessage(5109, LogLevel.Critical, "Following the privilege database met what must not be, and begins anew")]
    private partial void LogBroken(Exception failure);

    [LoggerMessage(5107, LogLevel.Information, "The privilege database at {Address} sends keyspace notifications.")]
    private partial void LogHears(string address);
}
