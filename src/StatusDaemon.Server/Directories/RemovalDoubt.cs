using StatusDaemon.Privileges;

namespace StatusDaemon.Directories;

/// <summary>Doubts that everybody is gone: a database that was emptied, is being filled again, or is the wrong one, must not end all connections (decision 0018).</summary>
/// <remarks>
/// A batch that would leave nobody is never believed. After one that would remove more than half, or a sweep that misses more than a few keys of any kind (of rules that hide somebody, too),
/// nothing that a sweep misses is believed before two sweeps in a row find the same keys: then nobody fills it any more. Meanwhile what is there counts, and what is gone does not. One owner.
/// </remarks>
/// <param name="patience">Between the two sweeps, at least.</param>
internal sealed class RemovalDoubt(TimeSpan patience, TimeProvider clock)
{
    /// <summary>So many subscribers may go at once, or keys be missed by a sweep, without a doubt, unless they are all. What is taken out on purpose rings.</summary>
    private const int Few = 10;

    private Seen? lastSeen;
    private long lastSeenAt;

    /// <summary>What is doubted, in words; null while nothing is.</summary>
    public string? Problem { get; private set; }

    /// <summary>Whether something is doubted.</summary>
    public bool IsOpen => Problem is not null;

    /// <summary>The snapshot that a batch of facts leads to, as far as it is believed.</summary>
    /// <param name="seen">What the sweep that found them has seen; null for what rang.</param>
    public DirectorySnapshot Weigh(DirectorySnapshot now, IReadOnlyDictionary<PrivilegeItem, PrivilegeFact> facts, Seen? seen)
    {
        var next = With(now, facts);
        var removed = DirectoryChange.Between(now, next).Removed.Count;
        var isEmpty = next.Subscribers.Count == 0 && now.Subscribers.Count > 0;
        var isMany = removed > Few && removed > now.Subscribers.Count / 2;
        var missed = seen is null ? 0 : facts.Values.Count(fact => fact.IsGone);
        var isStillLess = Problem is not null && seen is not null && facts.Values.Any(fact => fact.IsGone);
        var isSettled = seen is not null && seen == lastSeen && clock.GetElapsedTime(lastSeenAt) >= patience;
        if (!isEmpty && (isSettled || !(isMany || missed > Few || isStillLess)))
        {
            if (seen is not null)
            {
                Problem = null;
                lastSeen = null;
            }

            return next;
        }

        if (seen is null || seen != lastSeen)
        {
            lastSeen = seen;
            lastSeenAt = clock.GetTimestamp();
        }

        Problem = isEmpty ? $"it has no subscriber any more, of {now.Subscribers.Count}"
            : isMany ? $"it has lost {removed} of {now.Subscribers.Count} subscribers at once"
            : missed > Few ? $"it has lost {missed} keys of subscribers and rules at once"
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

    /// <summary>What a sweep has seen: as many keys, and the same ones.</summary>
    public sealed record Seen(int Keys, ulong Marks);
}
