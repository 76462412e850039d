using StatusDaemon.Names;

namespace StatusDaemon.Privileges;

/// <summary>Where a snapshot comes from: whom the last batches of changes touched that led to it.</summary>
/// <remarks>
/// A follower that skips snapshots gets what changed from it, without a comparison of everybody. It holds no earlier snapshot, at most <see cref="MaxBatches"/> batches, and no
/// more UIDs than are asked for: beyond that the comparison is the shorter way.
/// </remarks>
internal sealed class Lineage
{
    private const int MaxBatches = 256;

    // The last one is the snapshot's own: another snapshot that comes from it is known by that.
    private readonly Batch[] batches;
    private readonly int touched;

    private Lineage(Batch[] batches)
    {
        this.batches = batches;
        touched = batches.Sum(batch => batch.Touched.Length);
    }

    /// <summary>That of a snapshot that comes from no other.</summary>
    public static Lineage New() => new([new Batch([])]);

    /// <summary>That of a snapshot which comes from this one's.</summary>
    /// <param name="batch">Whom the changes touch.</param>
    /// <param name="most">UIDs that are kept of all batches together.</param>
    public Lineage With(Uid[] batch, int most)
    {
        var first = batches.Length == MaxBatches ? 1 : 0;
        for (var left = touched + batch.Length - (first > 0 ? batches[0].Touched.Length : 0); left > most && first < batches.Length; first++)
        {
            left -= batches[first].Touched.Length;
        }

        return new Lineage([.. batches.AsSpan(first), new Batch(batch)]);
    }

    /// <summary>Who was touched since an earlier snapshot.</summary>
    /// <returns>False if this one does not come from it, or that is too long ago.</returns>
    public bool TryGetSince(Lineage earlier, ISet<Uid> since)
    {
        var at = Array.FindLastIndex(batches, batch => ReferenceEquals(batch, earlier.batches[^1]));
        for (var next = at + 1; at >= 0 && next < batches.Length; next++)
        {
            since.UnionWith(batches[next].Touched);
        }

        return at >= 0;
    }

    private sealed class Batch(Uid[] touched)
    {
        public Uid[] Touched { get; } = touched;
    }
}
