using StatusDaemon.Privileges;

namespace StatusDaemon.Directories;

/// <summary>Doubts that everybody is gone: a database that was emptied, is being filled again, or is the wrong one, must not end all connections, nor show who hides (decision 0018).</summary>
/// <remarks>
/// A batch that would leave nobody is never believed. After one that would remove more than half, or a sweep that misses rules, or more than a few keys of any kind, nothing that a sweep
/// misses is believed before two sweeps in a row miss the same keys and nobody fills the database meanwhile. Where much is missing all sweeps of a long while must agree: who fills a database
/// again may pause before he writes the rules. What is there counts at once, and what is gone and rang does. One owner.
/// </remarks>
/// <param name="patience">Between two sweeps that must agree, at least.</param>
internal sealed class RemovalDoubt(TimeSpan patience, TimeProvider clock)
{
    /// <summary>So many times the patience where much is missing.</summary>
    private const int Long = 12;

    /// <summary>So many subscribers may go at once, or keys be missed by a sweep, without a doubt, unless they are all; and so many keys may come between two sweeps that are compared.</summary>
    private const int Few = 10;

    private Missed? last;
    private long lastAt;

    /// <summary>What is doubted, in words; null while nothing is, or so little that it need not be said.</summary>
    public string? Problem { get; private set; }

    /// <summary>Whether something is doubted.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>The snapshot that a batch of facts leads to, as far as it is believed.</summary>
    /// <param name="keysSeen">How many keys the sweep has seen that found them; null for what rang.</param>
    public DirectorySnapshot Weigh(DirectorySnapshot now, IReadOnlyDictionary<PrivilegeItem, PrivilegeFact> facts, int? keysSeen)
    {
        var next = With(now, facts);
        var removed = DirectoryChange.Between(now, next).Removed.Count;
        var isEmpty = next.Subscribers.Count == 0 && now.Subscribers.Count > 0;
        var isMany = removed > Few && removed > now.Subscribers.Count / 2;
        PrivilegeItem[] gone = keysSeen is null ? [] : [.. facts.Where(fact => fact.Value.IsGone).Select(fact => fact.Key)];
        var missed = keysSeen is { } keys ? new Missed(gone.Length, gone.Aggregate(0UL, (sum, item) => sum + item.Mark), keys) : null;
        var isSettled = missed is not null && last is not null && missed.IsAsBefore(last) && clock.GetElapsedTime(lastAt) >= (Problem is null ? patience : patience * Long);
        var isDoubtful = isMany || gone.Length > Few || gone.Any(item => item.Kind == PrivilegeKind.Rules) || (IsOpen && gone.Length > 0);
        if (!isEmpty && (isSettled || !isDoubtful))
        {
            if (missed is not null)
            {
                (Problem, IsOpen, last) = (null, false, null);
            }

            return next;
        }

        if (missed is null || last is null || !missed.IsAsBefore(last))
        {
            last = missed;
            lastAt = clock.GetTimestamp();
        }

        IsOpen = true;
        Problem = isEmpty ? $"it has no subscriber any more, of {now.Subscribers.Count}"
            : isMany ? $"it has lost {removed} of {now.Subscribers.Count} subscribers at once"
            : gone.Length > Few ? $"it has lost {gone.Length} keys of subscribers and rules at once"
            : Problem;
        return With(now, facts.Where(fact => !fact.Value.IsGone));
    }

    private static DirectorySnapshot With(DirectorySnapshot now, IEnumerable<KeyValuePair<PrivilegeItem, PrivilegeFact>> facts)
    {
        var edit = new DirectoryEdit(now);
        foreach (var (item, fact) in facts)
        {
            fact.PutInto(edit, item);
        }

        return edit.Apply();
    }

    /// <summary>What a sweep has missed, and how many keys it has seen.</summary>
    private sealed record Missed(int Count, ulong Marks, int KeysSeen)
    {
        /// <summary>Whether it is the same as in an earlier sweep, and the database was not filled meanwhile.</summary>
        public bool IsAsBefore(Missed earlier) => (Count, Marks) == (earlier.Count, earlier.Marks) && KeysSeen <= earlier.KeysSeen + Few;
    }
}
