using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
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

    /// <summary>Items that are read at once: a transaction of so many keys is seen whole.</summary>
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
    private readonly UnfitEntries unfit = new();
    private volatile State state;
    private volatile TaskCompletionSource wish = NewSignal();
    private volatile bool isDeaf;
    private long wanted; // RefreshAsync's calls so far
    private long lastChangeAt;
    private long awaySince;
    private long gaps = -1; // the start is none
    private long missed;
    private long sweeps;
    private int unfitCount;
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
        state = new State(new DirectorySnapshot([], policy), IsThere: false, Tried: 0, "it was not reached yet", IsAway: true);
        awaySince = clock.GetTimestamp();
        lastChangeAt = awaySince;
    }

    /// <inheritdoc/>
    public DirectorySnapshot Current => state.Snapshot;

    /// <inheritdoc/>
    public bool IsThere => state.IsThere;

    /// <inheritdoc/>
    public string? LastProblem => state.Problem;

    /// <inheritdoc/>
    public string? Trouble => state switch
    {
        { IsAway: true } => "the privilege database is away; the log says why (event 5101)",
        { Problem: not null } => "the privilege database as it is now is not in force; the log says why (event 5105)",
        _ => isDeaf ? $"the privilege database tells no changes, it is read every {options.Sweep.TotalSeconds:0.#} s (event 5104)" : null,
    };

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
            directory.Close(e, ticket: 0);
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
        meter.CreateObservableGauge("statusd.directory.up", () => state.IsAway ? 0 : 1, "{server}", "Whether the privilege database answers: 1 or 0.");
        meter.CreateObservableGauge("statusd.directory.deaf", () => isDeaf ? 1 : 0, "{server}", "Whether it tells no changes, so that it is read again and again: 1 or 0.");
        meter.CreateObservableGauge("statusd.directory.lag", () => Lag.TotalSeconds, "s", "How long the change of it that waits longest has waited.");
        meter.CreateObservableGauge("statusd.directory.waiting", () => bell.Count, "{key}", "Keys of it that changed and were not read since.");
        meter.CreateObservableGauge("statusd.directory.subscribers", () => Current.Subscribers.Count, "{subscriber}", "Subscribers in force.");
        meter.CreateObservableGauge("statusd.directory.differences", () => Current.ShownOtherwise, "{subscriber}", "Subscribers whose hash says another name or other numbers than those that lead to them.");
        meter.CreateObservableGauge("statusd.directory.unfit", () => Volatile.Read(ref unfitCount), "{key}", "Keys that can't be taken as they are, at most 10,000.");
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
        while (true)
        {
            var seen = state;
            if (seen.IsThere && seen.Tried >= ticket)
            {
                return seen.Snapshot;
            }

            await seen.Replaced.WaitAsync(stop);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<DirectorySnapshot> FollowAsync([EnumeratorCancellation] CancellationToken stop)
    {
        long told = -1;
        while (true)
        {
            var seen = state;
            if (seen.IsThere && seen.Snapshot.Revision > told)
            {
                told = seen.Snapshot.Revision;
                yield return seen.Snapshot;
            }

            await seen.Replaced.WaitAsync(stop);
        }
    }

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
                if (state.IsAway || listener.HasGap)
                {
                    await SettleAsync(stop);
                }

                await KeepAsync(stop);
            }
            catch (RedisAwayException e)
            {
                Close(e, ticket);
                await Task.Delay(RedisConnection.Retry, clock, stop);
            }
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Gets from nothing, or from whatever happened, to where every change is heard.</summary>
    private async Task SettleAsync(CancellationToken stop)
    {
        await connection.ConnectAsync(stop);
        await AskWhetherItTellsAsync();
        await ListenAsync();
        Interlocked.Increment(ref gaps);
        await SweepAsync(isUrgent: true, stop);
    }

    /// <summary>Begins to listen; outside of a cluster it is heard at once what rings, since the answer to a PING came after that to the wish to hear it.</summary>
    /// <remarks>In a cluster the connections for listening may come later; the sweep after the first pause finds what rang before that.</remarks>
    private async Task ListenAsync()
    {
        for (var patience = clock.GetTimestamp(); ;)
        {
            try
            {
                await listener.CatchUpAsync(); // the connection for listening may come a moment after the one for commands
                break;
            }
            catch (RedisAwayException) when (clock.GetElapsedTime(patience) < RedisConnection.Patience)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(10), clock);
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
            if (Interlocked.Read(ref wanted) <= state.Tried) // else somebody came during a sweep that could not answer
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
                await (state.IsThere ? ReadRungAsync(sweep: null) : SweepAsync(isUrgent: true, stop));
            }

            if (tick.IsCompleted)
            {
                var wasDeaf = isDeaf;
                await AskWhetherItTellsAsync();
                if (wasDeaf || isDeaf || !state.IsThere || doubt.IsOpen)
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

        return Interlocked.Read(ref wanted) > state.Tried;
    }

    /// <summary>Answers who wants to know of all that was said before, where rings tell it.</summary>
    /// <param name="sweep">The sweep that goes on meanwhile; null if none does.</param>
    private async Task AnswerRefreshAsync(PrivilegeSweep? sweep)
    {
        var ticket = Interlocked.Read(ref wanted);
        await AskWhetherItTellsAsync();
        if (isDeaf || !state.IsThere || connection.IsCluster)
        {
            return;
        }

        await listener.CatchUpAsync();
        for (var left = bell.Count; left > 0; left -= MaxTaken)
        {
            await ReadRungAsync(sweep);
        }

        if (!listener.HasGap && !doubt.IsOpen)
        {
            Replace(state with { Tried = ticket });
        }
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
        var pause = Between - clock.GetElapsedTime(lastChangeAt);
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
            if (state.IsThere)
            {
                Put(doubt.Weigh(Current, items.Zip(facts).ToDictionary(), seen: null));
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
                await ReadAsync(sweep, [.. ItemsOf(page).Where(sweep.See)]);
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
        var inForce = Current;
        var looking = Task.Run(() => sweep.Unseen(inForce), stop);
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

        unfit.ForgetUnless(sweep.HasSeen);
        Volatile.Write(ref unfitCount, unfit.Count);
        Interlocked.Increment(ref sweeps);
        if (state.IsThere && !isUrgent)
        {
            Interlocked.Add(ref missed, sweep.Facts.Count);
        }

        Open(doubt.Weigh(Current, sweep.Facts, sweep.Seen), Math.Max(ticket, state.Tried));
    }

    private async Task ReadAsync(PrivilegeSweep sweep, PrivilegeItem[] items)
    {
        var facts = items.Length == 0 ? [] : await reader.GlanceAsync(items);
        foreach (var (item, fact) in items.Zip(facts))
        {
            Tell(item, fact);
            sweep.Note(Current, item, fact);
        }

        if (state.IsThere)
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

        Volatile.Write(ref unfitCount, unfit.Count);
    }

    /// <summary>Reads items, and tells of those that can't be taken.</summary>
    private async Task<PrivilegeFact[]> ReadAsync(PrivilegeItem[] items)
    {
        var facts = items.Length == 0 ? [] : await reader.ReadAsync(items);
        foreach (var (item, fact) in items.Zip(facts))
        {
            Tell(item, fact);
        }

        Volatile.Write(ref unfitCount, unfit.Count);
        return facts;
    }

    private void Tell(PrivilegeItem item, PrivilegeFact fact)
    {
        if (unfit.Note(item, fact.Problem))
        {
            LogUnfit(item.Kind, item.Name, fact.Problem!);
        }
    }

    private IEnumerable<PrivilegeItem> ItemsOf(IEnumerable<byte[]> page)
    {
        foreach (var key in page)
        {
            if (keys.TryRead(key, out var item, out var problem))
            {
                yield return item;
            }
            else if (problem is not null && unfit.Note(item, problem))
            {
                LogUnfitKey(System.Text.Encoding.UTF8.GetString(key), problem);
            }
        }
    }

    private async Task AskWhetherItTellsAsync()
    {
        var tells = await notifications.AreOnAsync(connection.Primaries());
        if (tells == true == isDeaf)
        {
            isDeaf = tells != true;
            if (isDeaf)
            {
                LogDeaf(connection.Address, tells is null ? "may not be asked whether it sends keyspace notifications" : "sends no keyspace notifications, or not all that are needed", options.Sweep.TotalSeconds);
            }
            else
            {
                LogHears(connection.Address);
            }
        }
    }

    /// <summary>Puts a snapshot in force that what rang has led to.</summary>
    private void Put(DirectorySnapshot snapshot)
    {
        var before = state;
        if (!ReferenceEquals(snapshot, before.Snapshot) || doubt.Problem != before.Problem)
        {
            Replace(before with { Snapshot = snapshot, Problem = doubt.Problem });
        }
    }

    /// <summary>Puts a snapshot in force after everything was read.</summary>
    private void Open(DirectorySnapshot snapshot, long ticket)
    {
        var before = state;
        var isThere = before.IsThere || snapshot.Subscribers.Count > 0;
        Replace(new State(snapshot, isThere, ticket, isThere ? doubt.Problem : "it has no subscriber yet", IsAway: false));
        if (before.IsAway || (isThere && !before.IsThere))
        {
            LogThere(connection.Address, clock.GetElapsedTime(awaySince).TotalSeconds, snapshot.Subscribers.Count);
        }
    }

    private void Close(RedisAwayException reason, long ticket)
    {
        var before = state;
        if (!before.IsAway)
        {
            awaySince = clock.GetTimestamp();
        }

        Replace(before with { Tried = Math.Max(before.Tried, ticket), Problem = reason.Message, IsAway = true });
        if (before.Problem != reason.Message)
        {
            LogAway(reason.Message);
        }
    }

    private void Replace(State next)
    {
        var before = state;
        state = next;
        if (!ReferenceEquals(before.Snapshot, next.Snapshot))
        {
            lastChangeAt = clock.GetTimestamp();
        }

        if (!next.IsAway && next.Problem is not null && next.Problem != before.Problem)
        {
            LogRefused(connection.Address, next.Problem, next.Snapshot.Subscribers.Count);
        }
        else if (next.Problem is null && before is { Problem: not null, IsAway: false })
        {
            LogBelieved(connection.Address, next.Snapshot.Subscribers.Count);
        }

        before.SetReplaced();
    }

    [LoggerMessage(5101, LogLevel.Error, "{Reason} It is tried until it is back; the directory as it was stays in force meanwhile, and a start waits.")]
    private partial void LogAway(string reason);

    [LoggerMessage(5102, LogLevel.Information, "The privilege database at {Address} is read, after {Seconds:0.0} s: {Subscribers} subscribers.")]
    private partial void LogThere(string address, double seconds, int subscribers);

    [LoggerMessage(5103, LogLevel.Warning, "The privilege database says of {Kind} {Name} what can't be taken: {Problem}.")]
    private partial void LogUnfit(PrivilegeKind kind, string name, string problem);

    [LoggerMessage(5104, LogLevel.Warning, "The privilege database at {Address} {Why}: it is read whole every {Seconds:0.#} s. Add the line 'notify-keyspace-events KA' to its redis.conf, and let this user run CONFIG GET.")]
    private partial void LogDeaf(string address, string why, double seconds);

    [LoggerMessage(5105, LogLevel.Error, "The privilege database at {Address} is not taken as it is: {Problem}. The {Subscribers} subscribers that there were stay in force.")]
    private partial void LogRefused(string address, string problem, int subscribers);

    [LoggerMessage(5106, LogLevel.Information, "The privilege database at {Address} is taken as it is again: {Subscribers} subscribers.")]
    private partial void LogBelieved(string address, int subscribers);

    [LoggerMessage(5107, LogLevel.Information, "The privilege database at {Address} sends keyspace notifications.")]
    private partial void LogHears(string address);

    [LoggerMessage(5108, LogLevel.Warning, "The privilege database has the key {Key}, which can't be taken: {Problem}.")]
    private partial void LogUnfitKey(string key, string problem);

    /// <summary>What is in force, and what was tried.</summary>
    /// <param name="Snapshot">The last good one.</param>
    /// <param name="IsThere">Whether there was a good one.</param>
    /// <param name="Tried">The last call of <see cref="RefreshAsync"/> that was made before the last try began.</param>
    /// <param name="Problem">Why what the database says now is not in force.</param>
    /// <param name="IsAway">Whether the database did not answer at the last try.</param>
    private sealed record State(DirectorySnapshot Snapshot, bool IsThere, long Tried, string? Problem, bool IsAway)
    {
        private readonly TaskCompletionSource replaced = NewSignal();

        private State(State original)
        {
            (Snapshot, IsThere, Tried, Problem, IsAway) = (original.Snapshot, original.IsThere, original.Tried, original.Problem, original.IsAway);
            replaced = NewSignal(); // each its own
        }

        public Task Replaced => replaced.Task;

        public void SetReplaced() => replaced.TrySetResult();
    }
}
