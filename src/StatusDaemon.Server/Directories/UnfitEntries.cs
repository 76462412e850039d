namespace StatusDaemon.Directories;

/// <summary>Entries of the privilege database that can't be taken, each told once until it is mended. One owner.</summary>
internal sealed class UnfitEntries
{
    /// <summary>Most that are remembered; of more nothing is said.</summary>
    public const int Most = 10_000;

    private readonly Dictionary<PrivilegeItem, string> problems = [];

    /// <summary>Entries that can't be taken now, or <see cref="Most"/>.</summary>
    public int Count => problems.Count;

    /// <summary>Notes what is wrong with an entry.</summary>
    /// <param name="problem">Null if nothing is.</param>
    /// <returns>Whether that is news.</returns>
    public bool Note(PrivilegeItem item, string? problem)
    {
        if (problem is null)
        {
            problems.Remove(item);
            return false;
        }

        var isNews = !problems.TryGetValue(item, out var before) || before != problem;
        if (isNews && (before is not null || problems.Count < Most))
        {
            problems[item] = problem;
            return true;
        }

        return false;
    }

    /// <summary>Forgets those that a sweep has not seen.</summary>
    public void ForgetUnless(Func<PrivilegeItem, bool> isThere)
    {
        foreach (var gone in problems.Keys.Where(item => !isThere(item)).ToArray())
        {
            problems.Remove(gone);
        }
    }
}
