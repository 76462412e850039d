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
/// subscribers, not of changes: at most as many dead places as live ones are kept, then the list is packed. Decision 0001.
/// </remarks>
public sealed class ChangeFeed(ulong incarnation)
{
    // Sorted by key; a subscriber that changed again leaves a dead place (Item -1) behind.
    private readonly List<(FeedKey Key, int Item)> places = [];
    private readonly Dictionary<int, int> placeOf = [];

    /// <summary>Places kept, live and dead: what the memory depends on.</summary>
    public int Places => places.Count;

    /// <summary>Puts an item at the end: it has just changed.</summary>
    /// <exception cref="InvalidOperationException">The key is not greater than that of the last change.</exception>
    public void Touch(int item, FeedKey key)
    {
        if (places.Count > 0 && key <= places[^1].Key)
        {
            throw new InvalidOperationException($"Change {key} comes after {places[^1].Key}.");
        }

        if (placeOf.TryGetValue(item, out var before))
        {
            places[before] = (places[before].Key, -1);
        }

        placeOf[item] = places.Count;
        places.Add((key, item));
        if (places.Count > 32 && places.Count > placeOf.Count * 2)
        {
            Pack();
        }
    }

    /// <summary>Puts what a store remembers before everything that this activation changed.</summary>
    /// <param name="remembered">In the order of their keys, none of them in the feed yet.</param>
    public void Prepend(IEnumerable<(FeedKey Key, int Item)> remembered)
    {
        places.RemoveAll(place => place.Item < 0);
        places.InsertRange(0, remembered);
        Index();
    }

    /// <summary>Reads items that changed after the cursor, oldest first.</summary>
    /// <param name="max">Most items to read; 1 or more.</param>
    /// <returns>Where the reader stands afterwards. A cursor of another incarnation reads everything: a snapshot, never a gap.</returns>
    public FeedCursor Read(FeedCursor cursor, int max, ICollection<int> items)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(max, 1);
        var key = cursor.Incarnation == incarnation ? cursor.Key : default;
        for (var place = FirstAfter(key); place < places.Count && max > 0; place++)
        {
            key = places[place].Key;
            if (places[place].Item >= 0)
            {
                items.Add(places[place].Item);
                max--;
            }
        }

        return new FeedCursor(incarnation, key);
    }

    private int FirstAfter(FeedKey key)
    {
        int low = 0, high = places.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (places[middle].Key > key)
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
        places.RemoveAll(place => place.Item < 0);
        Index();
    }

    private void Index()
    {
        placeOf.Clear();
        for (var place = 0; place < places.Count; place++)
        {
            placeOf[places[place].Item] = place;
        }
    }
}
