namespace StatusDaemon.Routing;

/// <summary>Growing and shrinking of the ascending arrays that <see cref="SlotSet"/>, <see cref="SlotList{T}"/> and <see cref="SlotPages{T}"/> are made of.</summary>
internal static class SlotArray
{
    /// <summary>Puts an item in at a place; grows by a sixteenth, since there are many small ones and a few with a million.</summary>
    /// <param name="count">Items before.</param>
    public static void Insert<T>(ref T[]? items, int count, int at, T item)
    {
        if (items is null || count == items.Length)
        {
            Array.Resize(ref items, count + (count / 16) + 1);
        }

        Array.Copy(items, at, items, at + 1, count - at);
        items[at] = item;
    }

    /// <summary>Takes the item at a place out; gives memory back when more than half is free.</summary>
    /// <param name="count">Items after.</param>
    public static void RemoveAt<T>(ref T[]? items, int count, int at)
    {
        Array.Copy(items!, at + 1, items!, at, count - at);
        items![count] = default!;
        if (count == 0)
        {
            items = null;
        }
        else if (items.Length > 8 && count < items.Length / 2)
        {
            Array.Resize(ref items, count + (count / 16) + 1);
        }
    }
}
