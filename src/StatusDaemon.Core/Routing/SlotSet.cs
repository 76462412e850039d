using System.Diagnostics.CodeAnalysis;

namespace StatusDaemon.Routing;

/// <summary>A small set of slots in one ascending array: four bytes a member, no object for one or none.</summary>
/// <remarks>A mutable struct that lives in a field of its owner: copying it shares the array, so it is never passed around.</remarks>
public struct SlotSet
{
    private int[]? items; // null while there are less than two
    private int only;

    /// <summary>Members.</summary>
    public int Count { get; private set; }

    /// <summary>The members, ascending; valid until the next change.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<int> Items => items is null ? new ReadOnlySpan<int>(in only)[..Count] : items.AsSpan(0, Count);

    /// <summary>Puts a slot in.</summary>
    /// <returns>False if it was in already.</returns>
    public bool Add(int slot)
    {
        var at = Items.BinarySearch(slot);
        if (at >= 0)
        {
            return false;
        }

        if (Count == 0)
        {
            (only, Count) = (slot, 1);
            return true;
        }

        items ??= [only, 0];
        SlotArray.Insert(ref items, Count++, ~at, slot);
        return true;
    }

    /// <summary>Takes a slot out.</summary>
    /// <returns>False if it was not in.</returns>
    public bool Remove(int slot)
    {
        var at = Items.BinarySearch(slot);
        if (at < 0)
        {
            return false;
        }

        Count--;
        if (items is not null)
        {
            SlotArray.RemoveAt(ref items, Count, at);
            if (Count == 1)
            {
                (only, items) = (items![0], null);
            }
        }

        return true;
    }
}
