namespace StatusDaemon.Statuses;

/// <summary>A place in a shard's history: the change that an activation of this epoch made as its <paramref name="Seq"/>th.</summary>
/// <remarks>For a status that this domain owns it is the version without the incarnation.</remarks>
public readonly record struct FeedKey(long Epoch, long Seq) : IComparable<FeedKey>
{
    /// <inheritdoc/>
    public int CompareTo(FeedKey other) => Epoch != other.Epoch ? Epoch.CompareTo(other.Epoch) : Seq.CompareTo(other.Seq);

    /// <summary>Whether this change came before that one.</summary>
    public static bool operator <(FeedKey left, FeedKey right) => left.CompareTo(right) < 0;

    /// <summary>Whether this change came after that one.</summary>
    public static bool operator >(FeedKey left, FeedKey right) => left.CompareTo(right) > 0;

    /// <summary>Whether this change came before that one, or is it.</summary>
    public static bool operator <=(FeedKey left, FeedKey right) => left.CompareTo(right) <= 0;

    /// <summary>Whether this change came after that one, or is it.</summary>
    public static bool operator >=(FeedKey left, FeedKey right) => left.CompareTo(right) >= 0;
}

/// <summary>Where a reader of a <see cref="ChangeFeed"/> stands. The default value has read nothing.</summary>
/// <param name="Incarnation">Of the store whose history the key belongs to; a reader that comes with another one starts anew.</param>
public readonly record struct FeedCursor(ulong Incarnation, FeedKey Key);

/// <summary>What changed in a shard, each subscriber once, in the order of its last change.</summary>
/// <remarks>
/// A reader keeps a cursor and gets what changed since, already conflated, however long it was away. Memory is bounded by the number of
/// subscribers, not of changes: at most a quarter of the places is dead before they are packed. Items are slots: small numbers with few gaps. Decision 0001.
/// </remarks>
public sealed class ChangeFeed(ulong incarnation)
{
    private const int Dead = -1;

    // Place by place, sorted by key; an item that changed again leaves a dead place behind. Two lists, since a pair would be padded.
    private readonly List<Run> runs = [];
    private readonly List<uint> offsets = []; // of the place's seq from its run's
    private readonly List<int> items = [];
    private readonly List<int> placeOf = []; // by item; Dead where it is not in the feed
    private FeedKey last;
    private int live;

    /// <summary>Places kept, live and dead: what the memory depends on.</summary>
    public int Places => items.Count;

    /// <summary>Puts an item at the end: it has just changed.</summary>
    /// <exception cref="InvalidOperationException">The key is not greater than that of the last change.</exception>
    public void Touch(int item, FeedKey key)
    {
        if (items.Count > 0 && key <= last)
        {
            throw new InvalidOperationException($"Change {key} comes after {last}.");
        }

        MakeRoom(item);
        if (placeOf[item] is var before and not Dead)
        {
            items[before] = Dead;
            live--;
        }

        placeOf[item] = items.Count;
        Append(key, item);
        live++;
        if (items.Count > 32 && items.Count - live > live / 4)
        {
            Pack();
        }
    }

    /// <summary>Puts what a store remembers before everything that this activation changed.</summary>
    /// <param name="remembered">In the order of their keys, none of them in the feed yet.</param>
    public void Prepend(IReadOnlyCollection<(FeedKey Key, int Item)> remembered)
    {
        Pack();
        (FeedKey Key, int Item)[] changed = [.. items.Select((item, place) => (KeyAt(place), item))];
        runs.Clear();
        offsets.Clear();
        items.Clear();
        foreach (var (key, item) in remembered.Concat(changed))
        {
            Append(key, item);
        }

        live = items.Count;
        MakeRoom(items.DefaultIfEmpty(0).Max());
        Index();
    }

    /// <summary>Reads items that changed after the cursor, oldest first.</summary>
    /// <param name="max">Most items to read; 1 or more.</param>
    /// <returns>Where the reader stands afterwards. A cursor of another incarnation reads everything: a snapshot, never a gap.</returns>
    public FeedCursor Read(FeedCursor cursor, int max, ICollection<int> changed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(max, 1);
        var key = cursor.Incarnation == incarnation ? cursor.Key : default;
        for (var place = FirstAfter(key); place < items.Count && max > 0; place++)
        {
            key = KeyAt(place);
            if (items[place] != Dead)
            {
                changed.Add(items[place]);
                max--;
            }
        }

        return new FeedCursor(incarnation, key);
    }

    private int FirstAfter(FeedKey key)
    {
        int low = 0, high = items.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (KeyAt(middle) > key)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low;
    }

    private void Pack()
    {
        var (to, kept) = (0, 0);
        for (var run = 0; run < runs.Count; run++)
        {
            var first = to;
            var end = run + 1 < runs.Count ? runs[run + 1].First : items.Count;
            for (var place = runs[run].First; place < end; place++)
            {
                if (items[place] != Dead)
                {
                    (offsets[to], items[to]) = (offsets[place], items[place]);
                    to++;
                }
            }

            if (to > first)
            {
                runs[kept++] = runs[run] with { First = first };
            }
        }

        runs.RemoveRange(kept, runs.Count - kept);
        offsets.RemoveRange(to, offsets.Count - to);
        items.RemoveRange(to, items.Count - to);
        Index();
    }

    private void Index()
    {
        for (var place = 0; place < items.Count; place++)
        {
            placeOf[items[place]] = place;
        }
    }

    private void MakeRoom(int item)
    {
        while (placeOf.Count <= item)
        {
            Append(placeOf, Dead);
        }
    }

    private FeedKey KeyAt(int place)
    {
        int low = 0, high = runs.Count - 1;
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (runs[middle].First <= place)
            {
                low = middle;
            }
            else
            {
                high = middle - 1;
            }
        }

        return runs[low].Key with { Seq = runs[low].Key.Seq + offsets[place] };
    }

    private void Append(FeedKey key, int item)
    {
        if (runs is not [.., var run] || run.Key.Epoch != key.Epoch || key.Seq - run.Key.Seq > uint.MaxValue)
        {
            run = new Run(items.Count, key);
            runs.Add(run);
        }

        Append(offsets, (uint)(key.Seq - run.Key.Seq));
        Append(items, item);
        last = key;
    }

    /// <summary>Grows by a quarter, where a list by itself would double.</summary>
    private static void Append<T>(List<T> list, T item)
    {
        if (list.Count == list.Capacity)
        {
            list.Capacity += (list.Capacity / 4) + 4;
        }

        list.Add(item);
    }

    /// <summary>Places whose keys differ by four bytes: those of one activation, mostly.</summary>
    /// <param name="First">Its first place.</param>
    /// <param name="Key">The first one's key when it was put in.</param>
    private readonly record struct Run(int First, FeedKey Key);
}
