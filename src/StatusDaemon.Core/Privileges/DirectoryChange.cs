using StatusDaemon.Names;

namespace StatusDaemon.Privileges;

/// <summary>What differs between two snapshots of a directory.</summary>
/// <param name="AttributesChanged">Whose numbers, dname or domain differ: what selectors look at.</param>
/// <param name="PolicyChanged">Whether verdicts may differ for everyone.</param>
public sealed record DirectoryChange(
    DirectorySnapshot From,
    DirectorySnapshot To,
    IReadOnlySet<Uid> Added,
    IReadOnlySet<Uid> Removed,
    IReadOnlySet<Uid> RulesChanged,
    IReadOnlySet<Uid> AttributesChanged,
    bool PolicyChanged)
{
    /// <summary>Compares two snapshots.</summary>
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

            if (before.DName != subscriber.DName || before.Domain != subscriber.Domain || !before.Numbers.SequenceEqual(subscriber.Numbers))
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
}
