using StatusDaemon.Names;

namespace StatusDaemon.Privileges;

/// <summary>What differs between two snapshots of a directory, as far as verdicts can differ by it.</summary>
/// <param name="Added">Who is in the later one only.</param>
/// <param name="Removed">Who is in the earlier one only.</param>
/// <param name="RulesChanged">Who is in both, with other black or white lists.</param>
/// <param name="AttributesChanged">Who is in both, with other numbers or dnames that lead to it, or another domain: what selectors look at, and what makes a subscriber local.</param>
/// <param name="PolicyChanged">Whether verdicts may differ for everyone.</param>
/// <remarks>
/// While the policy is the same, a verdict can differ only where the publisher is in <see cref="Added"/>, <see cref="Removed"/> or <see cref="RulesChanged"/>, or
/// the watcher in <see cref="Added"/>, <see cref="Removed"/> or <see cref="AttributesChanged"/>. What is only shown is no part of it.
/// </remarks>
public sealed record DirectoryChange(
    DirectorySnapshot From,
    DirectorySnapshot To,
    IReadOnlySet<Uid> Added,
    IReadOnlySet<Uid> Removed,
    IReadOnlySet<Uid> RulesChanged,
    IReadOnlySet<Uid> AttributesChanged,
    bool PolicyChanged)
{
    /// <summary>Compares two snapshots: where the later one was derived from the other, only whom that touched; else everybody.</summary>
    public static DirectoryChange Between(DirectorySnapshot from, DirectorySnapshot to)
    {
        HashSet<Uid> touched = new(Uid.Comparer), added = new(Uid.Comparer), removed = new(Uid.Comparer), rules = new(Uid.Comparer), attributes = new(Uid.Comparer);
        var all = to.TryGetTouchedSince(from, touched)
            ? touched
            : to.Subscribers.Concat(from.Subscribers.Where(subscriber => !to.TryGet(subscriber.Uid, out _))).Select(subscriber => subscriber.Uid);
        foreach (var uid in all)
        {
            from.TryGet(uid, out var before);
            to.TryGet(uid, out var after);
            if (before is null || after is null)
            {
                _ = after is not null ? added.Add(uid) : before is not null && removed.Add(uid); // neither where it came and went
                continue;
            }

            if (!before.Rules.Equals(after.Rules))
            {
                rules.Add(uid);
            }

            if (!before.HasAttributesOf(after))
            {
                attributes.Add(uid);
            }
        }

        return new DirectoryChange(from, to, added, removed, rules, attributes, from.Policy != to.Policy);
    }
}
