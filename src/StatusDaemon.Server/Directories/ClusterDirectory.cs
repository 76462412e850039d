using System.Collections.Frozen;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StatusDaemon.Privileges;
using StatusDaemon.Redis;

namespace StatusDaemon.Directories;

/// <summary>The directory file of a member of a cluster, and while others have different files, as strict as all of them (decision 0019).</summary>
/// <remarks>
/// Files are distributed machine by machine. Once a second, and whenever the own file has changed, a member says in the status database which one it has, and hears which ones the others have.
/// A change of the own file is in force at once. While Redis is away, what was last known of the others stays in force.
/// </remarks>
internal sealed partial class ClusterDirectory(FileDirectory own, SharedDirectoryFiles shared, TimeProvider clock, ILogger<ClusterDirectory> log) : BackgroundService, ISubscriberDirectory
{
    /// <summary>How often members tell each other which file they have.</summary>
    public static readonly TimeSpan Round = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();

    // Of the loop that talks with Redis.
    private readonly MemberFiles members = new();
    private readonly Dictionary<string, bool> unreadable = []; // by hash; whether it never will be

    private volatile State state = new(own.File, FrozenDictionary<string, DirectorySnapshot>.Empty, own.File.Snapshot);
    private volatile TaskCompletionSource replaced = NewSignal();
    private volatile TaskCompletionSource wish = NewSignal();
    private long wanted; // RefreshAsync's calls so far

    /// <inheritdoc/>
    public DirectorySnapshot Current => state.Snapshot;

    /// <inheritdoc/>
    /// <remarks>Once the others were asked for, whether Redis answered or not; before that the own file may show what theirs hide.</remarks>
    public bool IsThere => state.HasAsked;

    /// <inheritdoc/>
    public string? LastProblem => own.LastProblem;

    /// <inheritdoc/>
    public string? Trouble => own.Trouble ?? state switch
    {
        { Differing: > 0 } => "the directory files of the members differ, so the strictest verdict holds (event 5004)",
        { IsAway: true } => "whether the members have the same directory file can't be asked (event 5007)",
        { HasUnreadable: true } => "the directory file of another member can't be read and does not count (event 5006)",
        _ => null,
    };

    /// <inheritdoc/>
    /// <remarks>Of the others it holds what they had said before the call; if Redis, asked after it, does not answer, what is known of them.</remarks>
    public async Task<DirectorySnapshot> RefreshAsync(CancellationToken stop)
    {
        await own.RefreshAsync(stop);
        Put(static before => before);
        var ticket = Interlocked.Increment(ref wanted);
        wish.TrySetResult();
        while (true)
        {
            var next = replaced.Task; // older than the state
            var seen = state;
            if (seen.Answered >= ticket)
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
            if (seen.HasAsked && seen.Snapshot.Revision > told)
            {
                told = seen.Snapshot.Revision;
                yield return seen.Snapshot;
            }

            await next.WaitAsync(stop);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stop) => await await Task.WhenAny(FollowOwnAsync(stop), FollowOthersAsync(stop)); // none of them ends by itself

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task FollowOwnAsync(CancellationToken stop)
    {
        await foreach (var _ in own.FollowAsync(stop))
        {
            Put(static before => before);
            wish.TrySetResult(); // the others are to know
        }
    }

    private async Task FollowOthersAsync(CancellationToken stop)
    {
        for (var tick = Task.CompletedTask; ; stop.ThrowIfCancellationRequested())
        {
            wish = NewSignal(); // before the look at the number, which was raised before the signal was given
            var ticket = Interlocked.Read(ref wanted);
            var isRound = tick.IsCompleted;
            tick = isRound ? Task.Delay(Round, clock, stop) : tick;
            try
            {
                var others = await AskAsync(isRound, stop);
                if (state.IsAway)
                {
                    LogKnown();
                }

                Put(before => before with { Others = others, HasUnreadable = unreadable.Count > 0, Answered = ticket, HasAsked = true, IsAway = false });
            }
            catch (RedisAwayException e)
            {
                if (!state.IsAway)
                {
                    LogUnknown(e.Message);
                }

                Put(before => before with { Answered = ticket, HasAsked = true, IsAway = true });
            }

            await Task.WhenAny(tick, wish.Task);
        }
    }

    /// <summary>Tells the others which file this member has, and hears which ones they have.</summary>
    /// <returns>Those that can be read, by their hashes.</returns>
    private async Task<FrozenDictionary<string, DirectorySnapshot>> AskAsync(bool isRound, CancellationToken stop)
    {
        var file = own.File;
        var gone = members.Hear(await shared.TellAsync(file, stop), isRound);
        if (gone.Count > 0)
        {
            await shared.ForgetAsync(gone);
        }

        var hashes = members.Hashes;
        var known = state.Others;
        var others = new Dictionary<string, DirectorySnapshot>();
        foreach (var hash in hashes)
        {
            if ((hash == file.Hash ? file.Snapshot : known.GetValueOrDefault(hash) ?? await FetchAsync(hash)) is { } snapshot)
            {
                others.Add(hash, snapshot);
            }
        }

        foreach (var hash in unreadable.Keys.Where(hash => others.ContainsKey(hash) || !hashes.Contains(hash)))
        {
            unreadable.Remove(hash);
        }

        return others.Count == known.Count && others.Keys.All(known.ContainsKey) ? known : others.ToFrozenDictionary();
    }

    /// <summary>Reads the file of another member.</summary>
    /// <returns>Null if it can't be read; then it does not count: else anybody who can write to Redis could hide all from all.</returns>
    private async Task<DirectorySnapshot?> FetchAsync(string hash)
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
            problem = "it is not what it was when it was written";
            if (ZippedFile.TryUnzip(zipped, DirectoryFile.MaxBytes, out var utf8) && DirectoryFile.HashOf(utf8) == hash)
            {
                isHopeless = !DirectoryFile.TryParse(shared.KeyOf(hash), utf8, own.Current.Policy, revision: 0, stamp: default, out file, out var problems);
                problem = problems.FirstOrDefault("");
            }
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

    /// <summary>Changes the state, and puts in force what the own file, as it is now, and those of the others lead to.</summary>
    private void Put(Func<State, State> change)
    {
        lock (gate)
        {
            var before = state;
            var next = change(before) with { Own = own.File };
            if (next == before)
            {
                return;
            }

            state = next.Own != before.Own || next.Others != before.Others ? Combine(before, next) : next;
            var told = replaced;
            replaced = NewSignal();
            told.SetResult();
        }
    }

    private State Combine(State before, State next)
    {
        DirectorySnapshot[] different = [.. next.Others.Where(other => other.Key != next.Own.Hash).OrderBy(other => other.Key, StringComparer.Ordinal).Select(other => other.Value)];
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

    /// <summary>What is in force, and what it comes of.</summary>
    /// <param name="Own">The own file.</param>
    /// <param name="Others">The files of the others, by their hashes; the own one is among them if somebody has it too.</param>
    /// <param name="Snapshot">What both lead to.</param>
    /// <param name="Differing">How many of the others' files are different from the own one.</param>
    /// <param name="HasUnreadable">Whether there is one that can't be read.</param>
    /// <param name="HasAsked">Whether the others were asked for once.</param>
    /// <param name="IsAway">Whether Redis did not answer then.</param>
    /// <param name="Answered">The last call of <see cref="RefreshAsync"/> that came before Redis was asked, whether it answered or not.</param>
    private sealed record State(
        DirectoryFile Own,
        FrozenDictionary<string, DirectorySnapshot> Others,
        DirectorySnapshot Snapshot,
        int Differing = 0,
        bool HasUnreadable = false,
        bool HasAsked = false,
        bool IsAway = false,
        long Answered = 0);
}
