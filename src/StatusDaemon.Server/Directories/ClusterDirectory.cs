using System.Collections.Frozen;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StatusDaemon.Privileges;
using StatusDaemon.Redis;

namespace StatusDaemon.Directories;

/// <summary>The directory file of a member of a cluster, and while others have different files, as strict as all of them (decision 0019).</summary>
/// <remarks>
/// Files are distributed machine by machine. Once a second, and whenever the own file has changed, a member says in the status database which one it has, and hears which ones the others have.
/// A change of the own file is in force at once. While Redis is away, what was last known of the others stays in force, and so it does while a new file of theirs is read.
/// Three loops hand on to each other: one talks with the others and never waits for a file, since who is silent for five seconds counts no more; one reads their files; and one, the only writer of the state, puts in force what follows.
/// </remarks>
internal sealed partial class ClusterDirectory(FileDirectory own, SharedDirectoryFiles shared, TimeProvider clock, ILogger<ClusterDirectory> log) : BackgroundService, ISubscriberDirectory
{
    /// <summary>How often members tell each other which file they have.</summary>
    public static readonly TimeSpan Round = TimeSpan.FromSeconds(1);

    // The newest alone counts: it holds what was heard before it, and its ticket is the highest.
    private readonly Channel<Heard> heard = Channel.CreateBounded<Heard>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true, SingleWriter = true });

    // Rings when the own file or what is known of the others has changed; once is enough.
    private readonly Channel<bool> changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    private readonly MemberFiles members = new(); // of the loop that tells
    private readonly Dictionary<string, bool> unreadable = []; // of the loop that reads; by hash, whether it never can be read
    private volatile Known known = Known.Nothing; // written by the loop that reads
    private volatile State state = new(own.File, Known.Nothing, own.File.Snapshot);
    private volatile TaskCompletionSource replaced = NewSignal();
    private volatile TaskCompletionSource wish = NewSignal();
    private long wanted; // RefreshAsync's calls so far

    /// <inheritdoc/>
    public DirectorySnapshot Current => state.Snapshot;

    /// <inheritdoc/>
    /// <remarks>Once the others were asked for, whether Redis answered or not; before that the own file may show what theirs hide.</remarks>
    public bool IsThere => state.Known.HasAsked;

    /// <inheritdoc/>
    public string? LastProblem => own.LastProblem;

    /// <inheritdoc/>
    public string? Trouble => own.Trouble ?? state switch
    {
        { Differing: > 0 } => "the directory files of the members differ, so the strictest verdict holds (event 5004)",
        { Known.IsAway: true } => "whether the members have the same directory file can't be asked (event 5007)",
        { Known.HasUnreadable: true } => "the directory file of another member can't be read and does not count (event 5006)",
        _ => null,
    };

    /// <inheritdoc/>
    /// <remarks>Of the others it holds what they had said before the call; if Redis, asked after it, does not answer, what is known of them.</remarks>
    public async Task<DirectorySnapshot> RefreshAsync(CancellationToken stop)
    {
        await own.RefreshAsync(stop);
        var ticket = Interlocked.Increment(ref wanted);
        wish.TrySetResult();
        while (true)
        {
            var next = replaced.Task; // older than the state
            var seen = state;
            if (seen.Known.Answered >= ticket)
            {
                return seen.Snapshot;
            }

            await next.WaitAsync(stop);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<DirectorySnapshot> FollowAsync([EnumeratorCancellation] CancellationToken stop)
    {
        long told = -1;
        while (true)
        {
            var next = replaced.Task; // older than the state
            var seen = state;
            if (seen.Known.HasAsked && seen.Snapshot.Revision > told)
            {
                told = seen.Snapshot.Revision;
                yield return seen.Snapshot;
            }

            await next.WaitAsync(stop);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stop) =>
        await await Task.WhenAny(FollowOwnAsync(stop), TellAsync(stop), ReadAsync(stop), PutAsync(stop)); // none of them ends by itself

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task FollowOwnAsync(CancellationToken stop)
    {
        await foreach (var _ in own.FollowAsync(stop))
        {
            changes.Writer.TryWrite(true);
            wish.TrySetResult(); // the others are to know
        }
    }

    /// <summary>Tells the others which file this member has, and hears which ones they have.</summary>
    private async Task TellAsync(CancellationToken stop)
    {
        for (var tick = Task.CompletedTask; ; stop.ThrowIfCancellationRequested())
        {
            wish = NewSignal(); // before the look at the number, which was raised before the signal was given
            var ticket = Interlocked.Read(ref wanted);
            var isRound = tick.IsCompleted;
            tick = isRound ? Task.Delay(Round, clock, stop) : tick;
            var file = own.File;
            try
            {
                var gone = members.Hear(await shared.TellAsync(file, stop), isRound);
                if (gone.Count > 0)
                {
                    await shared.ForgetAsync(gone);
                }

                heard.Writer.TryWrite(new Heard(ticket, file, members.Hashes));
            }
            catch (RedisAwayException e)
            {
                heard.Writer.TryWrite(new Heard(ticket, file, members.Hashes, e.Message));
            }

            await Task.WhenAny(tick, wish.Task);
        }
    }

    /// <summary>Reads the files that the others have. What was known before stays until all of them are read.</summary>
    private async Task ReadAsync(CancellationToken stop)
    {
        await foreach (var said in heard.Reader.ReadAllAsync(stop))
        {
            var files = known.Others;
            var failure = said.Failure;
            try
            {
                files = await FilesOfAsync(said, stop);
            }
            catch (RedisAwayException e)
            {
                failure ??= e.Message;
            }

            if (failure is null && known.IsAway)
            {
                LogKnown();
            }
            else if (failure is not null && !known.IsAway)
            {
                LogUnknown(failure);
            }

            known = new Known(files, unreadable.Count > 0, HasAsked: true, IsAway: failure is not null, said.Ticket);
            changes.Writer.TryWrite(true);
        }
    }

    /// <returns>The files that can be read, by their hashes.</returns>
    private async Task<FrozenDictionary<string, DirectorySnapshot>> FilesOfAsync(Heard said, CancellationToken stop)
    {
        var before = known.Others;
        var others = new Dictionary<string, DirectorySnapshot>();
        foreach (var hash in said.Hashes)
        {
            if ((hash == said.Own.Hash ? said.Own.Snapshot : before.GetValueOrDefault(hash) ?? await FetchAsync(hash, stop)) is { } snapshot)
            {
                others.Add(hash, snapshot);
            }
        }

        foreach (var hash in unreadable.Keys.Where(hash => others.ContainsKey(hash) || !said.Hashes.Contains(hash)))
        {
            unreadable.Remove(hash);
        }

        return others.Count == before.Count && others.Keys.All(before.ContainsKey) ? before : others.ToFrozenDictionary();
    }

    /// <summary>Reads the file of another member.</summary>
    /// <returns>Null if it can't be read; then it does not count: else anybody who can write to Redis could hide all from all.</returns>
    private async Task<DirectorySnapshot?> FetchAsync(string hash, CancellationToken stop)
    {
        var isKnown = unreadable.TryGetValue(hash, out var isHopeless);
        if (isHopeless)
        {
            return null;
        }

        DirectoryFile? file = null;
        var problem = "it is not there";
        if (await shared.FetchAsync(hash) is { } zipped)
        {
            // On a thread of its own: a large file takes many seconds, and those of the pool are for calls.
            (file, problem, isHopeless) = await Task.Factory.StartNew(() => Parse(hash, zipped), stop, TaskCreationOptions.LongRunning, TaskScheduler.Default).WaitAsync(stop);
        }

        if (file is null)
        {
            unreadable[hash] = isHopeless;
            if (!isKnown)
            {
                LogUnreadable(shared.KeyOf(hash), problem);
            }
        }

        return file?.Snapshot;
    }

    /// <returns>The file, or why it is none and whether it never will be.</returns>
    private (DirectoryFile? File, string Problem, bool IsHopeless) Parse(string hash, byte[] zipped)
    {
        if (!ZippedFile.TryUnzip(zipped, DirectoryFile.MaxBytes, out var utf8) || DirectoryFile.HashOf(utf8) != hash)
        {
            return (null, "it is not what it was when it was written", false);
        }

        var isGood = DirectoryFile.TryParse(shared.KeyOf(hash), utf8, own.Current.Policy, revision: 0, stamp: default, out var file, out var problems);
        return (file, problems.FirstOrDefault(""), !isGood);
    }

    /// <summary>Puts in force what the own file and those of the others lead to.</summary>
    private async Task PutAsync(CancellationToken stop)
    {
        await foreach (var _ in changes.Reader.ReadAllAsync(stop))
        {
            var before = state;
            var next = before with { Known = known, Own = own.File }; // in this order: what is known may answer who has seen the own file of now
            if (next != before)
            {
                state = next.Own != before.Own || next.Known.Others != before.Known.Others ? Combine(before, next) : next;
                var told = replaced;
                replaced = NewSignal();
                told.SetResult();
            }
        }
    }

    private State Combine(State before, State next)
    {
        DirectorySnapshot[] different = [.. next.Known.Others.Where(other => other.Key != next.Own.Hash).OrderBy(other => other.Key, StringComparer.Ordinal).Select(other => other.Value)];
        if (next.Own == before.Own && different.Length == 0 && before.Differing == 0)
        {
            return next;
        }

        var strict = StricterDirectory.Of(next.Own.Snapshot, different);
        if (different.Length > 0 && before.Differing == 0)
        {
            LogDiffer(different.Length, DirectoryChange.Between(next.Own.Snapshot, strict).RulesChanged.Count);
        }
        else if (different.Length == 0 && before.Differing > 0)
        {
            LogSame();
        }

        return next with { Snapshot = strict.At(Math.Max(strict.Revision, before.Snapshot.Revision + 1)), Differing = different.Length };
    }

    [LoggerMessage(5004, LogLevel.Warning, "The directory files of the members differ, and the strictest verdict holds. Files in force beside the one here: {Files}; subscribers that are shown to fewer people than by it: {Subscribers}.")]
    private partial void LogDiffer(int files, int subscribers);

    [LoggerMessage(5005, LogLevel.Information, "The directory files of the members are all the same again.")]
    private partial void LogSame();

    [LoggerMessage(5006, LogLevel.Warning, "The directory file of another member, {Key}, can't be read and does not count: {Problem}.")]
    private partial void LogUnreadable(string key, string problem);

    [LoggerMessage(5007, LogLevel.Warning, "Which directory files the other members have can't be asked; those that were last known count: {Reason}")]
    private partial void LogUnknown(string reason);

    [LoggerMessage(5008, LogLevel.Information, "Which directory files the other members have is known again.")]
    private partial void LogKnown();

    /// <summary>What the others have said.</summary>
    /// <param name="Ticket">The last call of <see cref="RefreshAsync"/> that came before they were asked.</param>
    /// <param name="Own">The file that they were told then.</param>
    /// <param name="Hashes">Of the files that they have, as far as is known.</param>
    /// <param name="Failure">Why Redis did not answer, if it did not.</param>
    private sealed record Heard(long Ticket, DirectoryFile Own, IReadOnlyList<string> Hashes, string? Failure = null);

    /// <summary>What is known of the others.</summary>
    /// <param name="Others">Their files, by their hashes; the own one is among them if somebody has it too.</param>
    /// <param name="HasUnreadable">Whether there is one that can't be read.</param>
    /// <param name="HasAsked">Whether they were asked for once.</param>
    /// <param name="IsAway">Whether Redis did not answer the last time.</param>
    /// <param name="Answered">The last call of <see cref="RefreshAsync"/> that came before Redis was asked, whether it answered or not.</param>
    private sealed record Known(FrozenDictionary<string, DirectorySnapshot> Others, bool HasUnreadable, bool HasAsked, bool IsAway, long Answered)
    {
        public static readonly Known Nothing = new(FrozenDictionary<string, DirectorySnapshot>.Empty, HasUnreadable: false, HasAsked: false, IsAway: false, Answered: 0);
    }

    /// <summary>What is in force, and what it comes of.</summary>
    /// <param name="Own">The own file.</param>
    /// <param name="Known">What is known of the others.</param>
    /// <param name="Snapshot">What both lead to.</param>
    /// <param name="Differing">How many of the others' files are different from the own one.</param>
    private sealed record State(DirectoryFile Own, Known Known, DirectorySnapshot Snapshot, int Differing = 0);
}
