namespace StatusDaemon.Routing;

/// <summary>Items that others name by four bytes: each keeps its slot until it is removed, then the slot is another's.</summary>
/// <remarks>Not safe for several threads: it belongs to one owner, as everything in a router or a gateway loop does.</remarks>
public sealed class SlotArena<T>
    where T : class, ISlotted
{
    private readonly SlotChunks<T?> slots = new();
    private readonly Stack<int> free = new();

    /// <summary>Items in it.</summary>
    public int Count => slots.Count - free.Count;

    /// <summary>All of them, in the order of their slots.</summary>
    public IEnumerable<T> All
    {
        get
        {
            for (var slot = 0; slot < slots.Count; slot++)
            {
                if (slots[slot] is { } item)
                {
                    yield return item;
                }
            }
        }
    }

    /// <summary>The slot that the next item must have.</summary>
    public int NextSlot => free.TryPeek(out var slot) ? slot : slots.Count;

    /// <summary>The item of a slot that is known to have one.</summary>
    public T this[int slot] => slots[slot]!;

    /// <summary>The item of a slot; null if it is empty or never was used.</summary>
    public T? Find(int slot) => slot < slots.Count ? slots[slot] : null;

    /// <summary>Puts an item in that was made with <see cref="NextSlot"/>.</summary>
    /// <exception cref="InvalidOperationException">It has another slot.</exception>
    public void Add(T item)
    {
        if (item.Slot != NextSlot)
        {
            throw new InvalidOperationException($"Slot {item.Slot} is not the next one, {NextSlot} is.");
        }

        slots[free.TryPop(out var slot) ? slot : slots.Add()] = item;
    }

    /// <summary>Takes an item out that is in it.</summary>
    /// <exception cref="InvalidOperationException">It is not: taken out twice, its slot would be given to two.</exception>
    public void Remove(T item)
    {
        if (!ReferenceEquals(Find(item.Slot), item))
        {
            throw new InvalidOperationException($"The item of slot {item.Slot} is not here.");
        }

        slots[item.Slot] = null;
        free.Push(item.Slot);
    }
}
