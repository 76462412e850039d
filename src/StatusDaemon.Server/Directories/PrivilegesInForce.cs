using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using StatusDaemon.Privileges;
using StatusDaemon.Redis;

namespace StatusDaemon.Directories;

/// <summary>The directory of the privilege database that is in force, with what its readers wait for. One writes, any thread reads.</summary>
internal sealed partial class PrivilegesInForce
{
    private readonly string address;
    private readonly TimeProvider clock;
    private readonly ILogger log;
    private volatile State state;
    private long changedAt;
    private long awaySince;

    /// <summary>Begins with nobody, and a database that was not reached.</summary>
    /// <param name="address">Where it is, for people.</param>
    public PrivilegesInForce(string address, DirectoryPolicy policy, TimeProvider clock, ILogger log)
    {
        this.address = address;
        this.clock = clock;
        this.log = log;
        state = new State(new DirectorySnapshot([], policy), IsThere: false, Tried: 0, "it was not reached yet", IsAway: true);
        awaySince = clock.GetTimestamp();
        changedAt = awaySince;
    }

    /// <inheritdoc cref="ISubscriberDirectory.Current"/>
    public DirectorySnapshot Current => state.Snapshot;

    /// <inheritdoc cref="ISubscriberDirectory.IsThere"/>
    public bool IsThere => state.IsThere;

    /// <summary>Whether the database did not answer at the last try.</summary>
    public bool IsAway => state.IsAway;

    /// <inheritdoc cref="ISubscriberDirectory.LastProblem"/>
    public string? Problem => state.Problem;

    /// <inheritdoc cref="ISubscriberDirectory.Trouble"/>
    public string? Trouble => state switch
    {
        { IsAway: true } => "the privilege database is away; the log says why (event 5101)",
        { Problem: not null } => "the privilege database as it is now is not in force; the log says why (event 5105)",
        _ => null,
    };

    /// <summary>The last ticket that was answered: who got it, or one before it, may take what is in force.</summary>
    public long Tried => state.Tried;

    /// <summary>For how long the snapshot is in force.</summary>
    public TimeSpan Age => clock.GetElapsedTime(changedAt);

    /// <summary>Waits until there is a good snapshot and a ticket was answered.</summary>
    public async Task<DirectorySnapshot> WaitAsync(long ticket, CancellationToken stop)
    {
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

    /// <inheritdoc cref="ISubscriberDirectory.FollowAsync"/>
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

    /// <summary>What is in force holds all that was said before a ticket was taken.</summary>
    public void Answer(long ticket) => Replace(state with { Tried = ticket });

    /// <summary>Puts a snapshot in force that what rang has led to.</summary>
    /// <param name="problem">What of the database is not believed; null if nothing.</param>
    public void Put(DirectorySnapshot snapshot, string? problem)
    {
        var before = state;
        if (!ReferenceEquals(snapshot, before.Snapshot) || problem != before.Problem)
        {
            Replace(before with { Snapshot = snapshot, Problem = problem });
        }
    }

    /// <summary>Puts a snapshot in force after everything was read.</summary>
    /// <param name="problem">What of the database is not believed; null if nothing.</param>
    /// <param name="ticket">The last one that was taken before the reading began.</param>
    public void Open(DirectorySnapshot snapshot, string? problem, long ticket)
    {
        var before = state;
        var isThere = before.IsThere || snapshot.Subscribers.Count > 0;
        Replace(new State(snapshot, isThere, Math.Max(ticket, before.Tried), isThere ? problem : "it has no subscriber yet", IsAway: false));
        if (before.IsAway || (isThere && !before.IsThere))
        {
            LogThere(address, clock.GetElapsedTime(awaySince).TotalSeconds, snapshot.Subscribers.Count);
        }
    }

    /// <summary>The database is away: what is in force stays so.</summary>
    /// <param name="ticket">The last one that was taken before the try began.</param>
    public void Close(RedisAwayException reason, long ticket)
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
            changedAt = clock.GetTimestamp();
        }

        if (!next.IsAway && next.Problem is not null && next.Problem != before.Problem)
        {
            LogRefused(address, next.Problem, next.Snapshot.Subscribers.Count);
        }
        else if (next.Problem is null && before is { Problem: not null, IsAway: false })
        {
            LogBelieved(address, next.Snapshot.Subscribers.Count);
        }

        before.SetReplaced();
    }

    [LoggerMessage(5101, LogLevel.Error, "{Reason} It is tried until it is back; the directory as it was stays in force meanwhile, and a start waits.")]
    private partial void LogAway(string reason);

    [LoggerMessage(5102, LogLevel.Information, "The privilege database at {Address} is read, after {Seconds:0.0} s: {Subscribers} subscribers.")]
    private partial void LogThere(string address, double seconds, int subscribers);

    [LoggerMessage(5105, LogLevel.Error, "The privilege database at {Address} is not taken as it is: {Problem}. The {Subscribers} subscribers that there were stay in force.")]
    private partial void LogRefused(string address, string problem, int subscribers);

    [LoggerMessage(5106, LogLevel.Information, "The privilege database at {Address} is taken as it is again: {Subscribers} subscribers.")]
    private partial void LogBelieved(string address, int subscribers);

    /// <summary>What is in force, and what was tried.</summary>
    /// <param name="Snapshot">The last good one.</param>
    /// <param name="IsThere">Whether there was a good one.</param>
    /// <param name="Tried">The last ticket that was taken before the last try began.</param>
    /// <param name="Problem">Why what the database says now is not in force.</param>
    /// <param name="IsAway">Whether the database did not answer at the last try.</param>
    private sealed record State(DirectorySnapshot Snapshot, bool IsThere, long Tried, string? Problem, bool IsAway)
    {
        private readonly TaskCompletionSource replaced = new(TaskCreationOptions.RunContinuationsAsynchronously);

        private State(State original)
        {
            (Snapshot, IsThere, Tried, Problem, IsAway) = (original.Snapshot, original.IsThere, original.Tried, original.Problem, original.IsAway);
            replaced = new(TaskCreationOptions.RunContinuationsAsynchronously); // each its own
        }

        public Task Replaced => replaced.Task;

        public void SetReplaced() => replaced.TrySetResult();
    }
}
