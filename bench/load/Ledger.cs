namespace StatusDaemon.Load;

/// <summary>Checks what watchers get against what was published.</summary>
/// <remarks>
/// A publication's time is its name: each publisher's are different and grow, and the status follows from the time. So for each watch the time of the
/// latest delivery is all that has to be kept. What a server must not do, and what counts as a violation: to tell somebody of a person whom he does not
/// watch, to tell what was never published, to show an older status after a newer one, and not to have told the last one in the end. It may leave out
/// statuses in between, and may repeat one.
/// </remarks>
internal sealed class Ledger
{
    private readonly Community community;
    private readonly Entry[] entries; // a small hash table a watcher, all of one size
    private readonly int bits;
    private readonly long[] published;
    private readonly long began;

    /// <param name="began">Whatever has an earlier time was left by an earlier run.</param>
    public Ledger(Community community, long began)
    {
        this.community = community;
        this.began = began;
        published = new long[community.Count];
        bits = 1;
        while (1 << bits < community.MostWatched * 2)
        {
            bits++;
        }

        entries = new Entry[community.Count << bits];
        for (var watcher = 0; watcher < community.Count; watcher++)
        {
            foreach (var publisher in community.WatchedBy(watcher))
            {
                EntryOf(watcher, publisher).Publisher = publisher + 1;
            }
        }
    }

    /// <summary>What a delivery is.</summary>
    public enum Verdict
    {
        /// <summary>A status of this run that the watcher did not have.</summary>
        New,

        /// <summary>The same once more, or what was there before this run published.</summary>
        Known,

        /// <summary>What must not be: <see cref="Problem"/> has the first.</summary>
        Wrong,
    }

    /// <summary>How often a server did what it must not.</summary>
    public long Violations { get; private set; }

    /// <summary>Deliveries that came twice.</summary>
    public long Repeated { get; private set; }

    /// <summary>The first violation, in words; null if there was none.</summary>
    public string? Problem { get; private set; }

    /// <summary>The status of a publication: 1 to 7.</summary>
    public static int StatusAt(long time) => (int)(1 + (time % 7));

    /// <summary>Notes a publication.</summary>
    public void Publish(int publisher, long time) => published[publisher] = time;

    /// <summary>Notes a delivery.</summary>
    /// <param name="publisher">-1 for a UID that is nobody's.</param>
    /// <param name="time">0 where the server gave none.</param>
    public Verdict Take(int watcher, int publisher, int status, long time)
    {
        if (publisher < 0)
        {
            return Refuse($"{watcher} was told of a UID that is not of this run");
        }

        ref var entry = ref EntryOf(watcher, publisher);
        if (entry.Publisher == 0)
        {
            return Refuse($"{watcher} was told of {publisher}, whom it does not watch");
        }

        if (time < entry.Latest)
        {
            return Refuse($"{watcher} was told of {publisher} as it was at {time}, after {entry.Latest}");
        }

        if (time < began)
        {
            return Verdict.Known;
        }

        if (time > published[publisher] || status != StatusAt(time))
        {
            return Refuse($"{watcher} was told of {publisher} what was never published: status {status} at {time}");
        }

        if (time == entry.Latest)
        {
            Repeated++;
            return Verdict.Known;
        }

        entry.Latest = time;
        return Verdict.New;
    }

    /// <summary>Notes what cannot be read.</summary>
    public Verdict Refuse(string problem)
    {
        Violations++;
        Problem ??= problem;
        return Verdict.Wrong;
    }

    /// <summary>How many watches lack the last status that was published.</summary>
    /// <param name="isUp">Whether a connection still is; what is not misses nothing.</param>
    public long Missing(Func<int, bool> isUp)
    {
        long missing = 0;
        for (var watcher = 0; watcher < community.Count; watcher++)
        {
            foreach (var entry in isUp(watcher) ? entries.AsSpan(watcher << bits, 1 << bits) : [])
            {
                missing += entry.Publisher != 0 && entry.Latest < published[entry.Publisher - 1] ? 1 : 0;
            }
        }

        return missing;
    }

    /// <summary>Counts what is still missing as violations, at the end.</summary>
    public void Close(Func<int, bool> isUp)
    {
        if (Missing(isUp) is > 0 and var missing)
        {
            Violations += missing;
            Problem ??= $"{missing} watches never got the last status";
        }
    }

    /// <summary>The entry of a watch, or the free one where it would be.</summary>
    private ref Entry EntryOf(int watcher, int publisher)
    {
        var table = entries.AsSpan(watcher << bits, 1 << bits);
        var at = (int)((uint)publisher * 2654435769u >> (32 - bits));
        while (table[at].Publisher != 0 && table[at].Publisher != publisher + 1)
        {
            at = (at + 1) & (table.Length - 1);
        }

        return ref table[at];
    }

    private struct Entry
    {
        public int Publisher; // number + 1; 0 is free
        public long Latest;
    }
}
