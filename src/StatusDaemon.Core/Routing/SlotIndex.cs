using System.Numerics;

namespace StatusDaemon.Routing;

/// <summary>Finds slots by a hash of what is in them: some six bytes an entry, where a dictionary takes sixty.</summary>
/// <remarks>
/// Open addressing with linear probing in one array of a power of two. Entries of one hash may be many, and whoever asks compares what it finds:
/// <code>for (var at = index.First(hash); index.TryNext(ref at, out var slot);)</code>
/// </remarks>
/// <param name="hashOf">The hash of what is in a slot, the same as long as it is in the index.</param>
public sealed class SlotIndex(Func<int, int> hashOf)
{
    private const int FewPlaces = 8;

    private int[] places = new int[FewPlaces]; // slot + 1; 0 is free

    /// <summary>Entries.</summary>
    public int Count { get; private set; }

    private int Mask => places.Length - 1;

    /// <summary>Where the entries of a hash begin.</summary>
    public int First(int hash) => (int)(((uint)hash * 0x9E3779B9u) >> (32 - BitOperations.Log2((uint)places.Length)));

    /// <summary>The slot at a place, which moves on.</summary>
    /// <returns>False where no entry of the hash can follow.</returns>
    public bool TryNext(ref int at, out int slot)
    {
        slot = places[at] - 1;
        at = (at + 1) & Mask;
        return slot >= 0;
    }

    /// <summary>Puts a slot in that is not in it.</summary>
    public void Add(int slot)
    {
        if (Count >= places.Length / 4 * 3)
        {
            Resize(places.Length * 2);
        }

        Place(slot);
        Count++;
    }

    /// <summary>Takes a slot out that is in it, before what is in the slot changes.</summary>
    public void Remove(int slot)
    {
        var hole = First(hashOf(slot));
        while (places[hole] != slot + 1)
        {
            hole = (hole + 1) & Mask;
        }

        // What follows moves up as long as it may: no gap between an entry and its first place.
        for (var at = (hole + 1) & Mask; places[at] != 0; at = (at + 1) & Mask)
        {
            var first = First(hashOf(places[at] - 1));
            if (((at - first) & Mask) >= ((at - hole) & Mask))
            {
                places[hole] = places[at];
                hole = at;
            }
        }

        places[hole] = 0;
        Count--;
        if (places.Length > FewPlaces && Count < places.Length / 8)
        {
            Resize(places.Length / 2);
        }
    }

    private void Resize(int length)
    {
        var before = places;
        places = new int[length];
        foreach (var place in before)
        {
            if (place != 0)
            {
                Place(place - 1);
            }
        }
    }

    private void Place(int slot)
    {
        var at = First(hashOf(slot));
        while (places[at] != 0)
        {
            at = (at + 1) & Mask;
        }

        places[at] = slot + 1;
    }
}
