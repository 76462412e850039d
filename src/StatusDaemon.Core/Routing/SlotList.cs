namespace StatusDaemon.Routing;

/// <summary>Something that is found by a slot.</summary>
public interface ISlotted
{
    /// <summary>The slot; it does not change.</summary>
    int Slot { get; }
}

/// <summary>Small items in one array, ascending by slot: no object while it is empty, found in log n, moved by one copy.</summary>
/// <remarks>A mutable struct that lives in a field of its owner: copying it shares the array, so it is never passed around.</remarks>
public struct SlotList<T>
    where T : struct, ISlotted
{
    private T[]? items;

    /// <summary>Items.</summary>
    public int Count { get; private set; }

    /// <summary>The items, ascending; valid until one is put in or taken out.</summary>
    public readonly Span<T> Items => items.AsSpan(0, Count);

    /// <summary>The item of a slot that is known to have one; valid until one is put in or taken out.</summary>
    public readonly ref T Of(int slot) => ref items![Find(slot)];

    /// <summary>Looks for a slot.</summary>
    /// <returns>The index of its item; if it has none, the complement of where it would be.</returns>
    public readonly int Find(int slot)
    {
        int low = 0, high = Count - 1;
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var at = items![middle].Slot;
            if (at == slot)
            {
                return middle;
            }

            if (at < slot)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        return ~low;
    }

    /// <summary>Puts an item in at the place that <see cref="Find"/> gave as complement.</summary>
    public void Insert(int at, T item) => SlotArray.Insert(ref items, Count++, at, item);

    /// <summary>Takes the item at a place out.</summary>
    public void RemoveAt(int at) => SlotArray.RemoveAt(ref items, --Count, at);
}
