using StatusDaemon.Names;

namespace StatusDaemon.Privileges;

/// <summary>Where a snapshot comes from: whom the last batches of changes touched that led to it.</summary>
/// <remarks>
/// A follower that skips snapshots gets what changed from it, without a comparison of everybody. It holds no earlier snapshot, at most <see cref="MaxSteps"/> steps, and no
/// more UIDs than are asked for: beyond that the comparison is the shorter way.
/// </remarks>
internal sealed class Lineage
{
    private const int MaxSteps = 256;

    private readonly object mark = new(); // of this snapshot alone
    private readonly Step[] steps;
    private readonly int touched;

    private Lineage(Step[] steps)
    {
        this.steps = steps;
        touched = steps.Sum(step => step.Touched.Length);
    }

    /// <summary>That of a snapshot that comes from no other.</summary>
    public static Lineage New() => new([]);

    /// <summary>That of a snapshot which comes from this one's.</summary>
    /// <param name="batch">Whom the changes touch.</param>
    /// <param name="most">UIDs that are kept of all steps together.</param>
    public Lineage With(Uid[] batch, int most)
    {
        Step[] all = [.. steps, new Step(mark, batch)];
        var first = 0;
        for (var left = touched + batch.Length; left > most || all.Length - first > MaxSteps; first++)
        {
            left -= all[first].Touched.Length;
        }

        return new Lineage(all[first..]);
    }

    /// <summary>Who was touched since an earlier snapshot.</summary>
    /// <returns>False if this one does not come from it, or that is too long ago.</returns>
    public bool TryGetSince(Lineage earlier, ISet<Uid> since)
    {
        if (ReferenceEquals(earlier, this))
        {
            return true;
        }

        var at = Array.FindLastIndex(steps, step => ReferenceEquals(step.Before, earlier.mark));
        for (var next = at; next >= 0 && next < steps.Length; next++)
        {
            since.UnionWith(steps[next].Touched);
        }

        return at >= 0;
    }

    /// <summary>One batch.</summary>
    /// <param name="Before">The mark of the snapshot that it was applied to.</param>
    private readonly record struct Step(object Before, Uid[] Touched);
}
