using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StatusDaemon.Privileges;
using StatusDaemon.Telemetry;

namespace StatusDaemon.Directories;

/// <summary>The directory in a file, followed while it changes: in place, by rename, or deleted and made anew.</summary>
/// <remarks>
/// The file is asked for its <see cref="FileStamp"/> every <see cref="Interval"/>, not watched with inotify, which sees nothing on NFS, nothing behind a
/// symbolic link that is turned to another file, and nothing after the watched file was renamed away. A changed file is read once it has been still for
/// <see cref="Still"/>: editors write in pieces, and half a file may be good YAML. A bad file changes nothing: the last good one stays in force.
/// </remarks>
internal sealed partial class FileDirectory : BackgroundService, ISubscriberDirectory
{
    /// <summary>How often the file system is asked; one call, some microseconds.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>How long a file must not have changed before it is read.</summary>
    public static readonly TimeSpan Still = TimeSpan.FromMilliseconds(100);

    private readonly string path;
    private readonly DirectoryPolicy policy;
    private readonly TimeProvider clock;
    private readonly ILogger<FileDirectory> logger;
    private readonly Counter<long> reloads;

    // Written by the loop alone. Each state knows when it is replaced, so followers need no list.
    private volatile State state;

    /// <summary>Follows a file from the state that <paramref name="first"/> was read in.</summary>
    /// <param name="path">Absolute.</param>
    /// <param name="first">The reading that the start depended on: a bad file at the start is an error, not something to wait for.</param>
    public FileDirectory(string path, DirectoryFile first, TimeProvider clock, IMeterFactory meters, ILogger<FileDirectory> logger)
    {
        this.path = path;
        this.clock = clock;
        this.logger = logger;
        policy = first.Snapshot.Policy;
        state = new State(first, first.Stamp);
        reloads = meters.OfProgram().CreateCounter<long>("statusd.directory.reloads", "{reload}", "Changed directory files that were read; result: accepted, unchanged, refused.");
    }

    /// <inheritdoc/>
    public DirectorySnapshot Current => state.File.Snapshot;

    /// <inheritdoc/>
    public bool IsThere => true;

    /// <inheritdoc/>
    public string? LastProblem => state.Problem;

    /// <inheritdoc/>
    public string? Trouble => state.Problem is null ? null : "the file as it is now is not in force; the log says why (event 5002)";

    /// <summary>The file in force, of which <see cref="Current"/> is.</summary>
    public DirectoryFile File => state.File;

    /// <inheritdoc/>
    /// <remarks>
    /// A file that has not changed since it was last read is answered at once; else the answer waits for the loop to read it, 100 to 200 ms after the last
    /// change, or as long as somebody keeps writing.
    /// </remarks>
    public async Task<DirectorySnapshot> RefreshAsync(CancellationToken stop)
    {
        while (true)
        {
            // In this order: the state must be older than the look at the file.
            var seen = state;
            if (FileStamp.Of(path) == seen.Tried)
            {
                return seen.File.Snapshot;
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
            if (seen.File.Snapshot.Revision > told)
            {
                told = seen.File.Snapshot.Revision;
                yield return seen.File.Snapshot;
            }

            await seen.Replaced.WaitAsync(stop);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        var last = state.Tried;
        var since = clock.GetTimestamp();
        using var timer = new PeriodicTimer(Interval, clock);
        while (await timer.WaitForNextTickAsync(stop))
        {
            var now = FileStamp.Of(path);
            if (now != last)
            {
                last = now;
                since = clock.GetTimestamp();
            }
            else if ((now != state.Tried || state.IsUnreadable) && clock.GetElapsedTime(since) >= Still)
            {
                Read(now);
            }
        }
    }

    private void Read(FileStamp still)
    {
        var old = state;
        if (!DirectoryFile.TryReadBytes(path, still, out var utf8, out var unreadable))
        {
            Refuse(old, still, [unreadable], isUnreadable: true);
            return;
        }

        if (FileStamp.Of(path) != still)
        {
            return; // It was written while we read: the loop waits for it to be still again.
        }

        if (!DirectoryFile.TryParse(path, utf8, policy, old.File.Snapshot.Revision + 1, still, out var file, out var problems))
        {
            Refuse(old, still, problems, isUnreadable: false);
        }
        else if (file.Hash == old.File.Hash)
        {
            Replace(old, new State(old.File, still), "unchanged");
            if (old.Problem is not null)
            {
                LogAccepted(path, old.File.Snapshot.Subscribers.Count, old.File.Snapshot.Revision); // else the last word would be that it was refused
            }
        }
        else
        {
            Replace(old, new State(file, still), "accepted");
            LogAccepted(path, file.Snapshot.Subscribers.Count, file.Snapshot.Revision);
        }
    }

    private void Refuse(State old, FileStamp tried, IReadOnlyList<string> problems, bool isUnreadable)
    {
        var problem = string.Join('\n', problems);
        var isKnown = problem == old.Problem;
        if (isKnown && tried == old.Tried)
        {
            return; // Another try in vain at a file that cannot be read.
        }

        Replace(old, new State(old.File, tried, problem, isUnreadable), "refused");
        if (!isKnown)
        {
            foreach (var line in problems)
            {
                LogProblem(line);
            }

            LogRefused(path, old.File.Snapshot.Subscribers.Count);
        }
    }

    private void Replace(State old, State next, string result)
    {
        state = next;
        reloads.Add(1, new KeyValuePair<string, object?>("result", result));
        old.SetReplaced();
    }

    [LoggerMessage(5001, LogLevel.Information, "Directory {Path} is in force: {Subscribers} subscribers, revision {Revision}.")]
    private partial void LogAccepted(string path, int subscribers, long revision);

    [LoggerMessage(5002, LogLevel.Error, "{Problem}")]
    private partial void LogProblem(string problem);

    [LoggerMessage(5003, LogLevel.Error, "Directory {Path} was refused whole; the last good one, with {Subscribers} subscribers, stays in force.")]
    private partial void LogRefused(string path, int subscribers);

    /// <summary>What is in force, and what was tried.</summary>
    /// <param name="File">The last good file.</param>
    /// <param name="Tried">The state of the file system that this comes of, good or bad.</param>
    /// <param name="Problem">Why what was tried is not in force.</param>
    /// <param name="IsUnreadable">Whether the fault lay with reading, such as NFS being away: it may pass without the file being changed, so it is tried again.</param>
    private sealed record State(DirectoryFile File, FileStamp Tried, string? Problem = null, bool IsUnreadable = false)
    {
        private readonly TaskCompletionSource replaced = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Replaced => replaced.Task;

        public void SetReplaced() => replaced.SetResult();
    }
}
