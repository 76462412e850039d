namespace StatusDaemon.Routing;

/// <summary>A small set of slots in one ascending array: four bytes a member, no object while it is empty.</summary>
/// <remarks>A mutable struct that lives in a field of its owner: copying it shares the array, so it is never passed around.</remarks>
public struct SlotSet
{
    private int[]? items;

    /// <summary>Members.</summary>
    public int Count { get; private set; }

    /// <summary>The members, ascending; valid until the next change.</summary>
    public readonly ReadOnlySpan<int> Items => items.AsSpan(0, Count);

    /// <summary>Puts a slot in.</summary>
    /// <returns>False if it was in already.</returns>
    public bool Add(int slot)
    {
        var at = items.AsSpan(0, Count).BinarySearch(slot);
        if (at >= 0)
        {
            return false;
        }

        SlotArray.Insert(ref items, Count++, ~at, slot);
        return true;
    }

    /// <summary>Takes a slot out.</summary>
    /// <returns>False if it was not in.</returns>
    public bool Remove(int slot)
    {
        var at = items.AsSpan(0, Count).BinarySearch(slot);
        if (at < 0)
        {
            return false;
        }

        SlotArray.RemoveAt(ref items, --Count, at);
        return true;
    }
}
