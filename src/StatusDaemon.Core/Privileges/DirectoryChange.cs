using StatusDaemon.Names;

namespace StatusDaemon.Privileges;

/// <summary>What differs between two snapshots of a directory, as far as verdicts can differ by it.</summary>
/// <param name="Added">Who is in the later one only.</param>
/// <param name="Removed">Who is in the earlier one only.</param>
/// <param name="RulesChanged">Who is in both, with other black or white lists.</param>
/// <param name="AttributesChanged">Who is in both, with other numbers, another dname or another domain: what selectors look at, and what makes a subscriber local.</param>
/// <param name="PolicyChanged">Whether verdicts may differ for everyone.</param>
/// <remarks>
/// While the policy is the same, a verdict can differ only where the publisher is in <see cref="Added"/>, <see cref="Removed"/> or <see cref="RulesChanged"/>, or
/// the watcher in <see cref="Added"/>, <see cref="Removed"/> or <see cref="AttributesChanged"/>. Display names are no part of it.
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
    /// <summary>Compares two snapshots, in time that grows with their sizes.</summary>
    public static DirectoryChange Between(DirectorySnapshot from, DirectorySnapshot to)
    {
        HashSet<Uid> added = new(Uid.Comparer), removed = new(Uid.Comparer), rules = new(Uid.Comparer), attributes = new(Uid.Comparer);
        foreach (var subscriber in to.Subscribers)
        {
            if (!from.TryGet(subscriber.Uid, out var before))
            {
                added.Add(subscriber.Uid);
                continue;
            }

            if (!before.Rules.Equals(subscriber.Rules))
            {
                rules.Add(subscriber.Uid);
            }

            if (before.DName != subscriber.DName || before.Domain != subscriber.Domain || !SameNumbers(before, subscriber))
            {
                attributes.Add(subscriber.Uid);
            }
        }

        foreach (var subscriber in from.Subscribers)
        {
            if (!to.TryGet(subscriber.Uid, out _))
            {
                removed.Add(subscriber.Uid);
            }
        }

        return new DirectoryChange(from, to, added, removed, rules, attributes, from.Policy != to.Policy);
    }

    // A snapshot has a number once, so equal counts and no stranger make equal sets.
    private static bool SameNumbers(Subscriber a, Subscriber b) =>
        a.Numbers.Count == b.Numbers.Count && (a.Numbers.SequenceEqual(b.Numbers) || !a.Numbers.Except(b.Numbers).Any());
}
