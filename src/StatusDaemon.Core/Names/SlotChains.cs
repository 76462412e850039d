using System.Numerics;

namespace StatusDaemon.Names;

/// <summary>Finds slots by a hash, where each item has room for the link to the next of its chain: beside that, some four bytes for each <c>load</c> of them.</summary>
/// <remarks>
/// A chain also holds items of other hashes, and whoever asks compares what it finds:
/// <code>for (var slot = chains.First(hash); slot >= 0; slot = chains.Next(slot))</code>
/// Many items of one hash cost nothing when they are put in; each that is taken out is looked for among them.
/// </remarks>
/// <param name="hashOf">The hash of the item of a slot, the same as long as it is in.</param>
/// <param name="linkOf">Room in the item of a slot that only this writes.</param>
/// <param name="load">Items for each chain, on average, before there are more chains; 1 or more.</param>
public sealed class SlotChains(Func<int, int> hashOf, SlotChains.Link linkOf, int load)
{
    private const int FewChains = 4;

    private int[] heads = new int[FewChains]; // slot + 1, as links are; 0 ends a chain

    /// <summary>Where the item of a slot keeps its link.</summary>
    public delegate ref int Link(int slot);

    /// <summary>Items.</summary>
    public int Count { get; private set; }

    /// <summary>The first slot of the chain of a hash; negative if the chain is empty.</summary>
    public int First(int hash) => heads[ChainOf(hash)] - 1;

    /// <summary>The slot after another in its chain; negative at the end.</summary>
    public int Next(int slot) => linkOf(slot) - 1;

    /// <summary>Puts a slot in that is not in it.</summary>
    public void Add(int slot)
    {
        if (Count >= heads.Length * load)
        {
            Resize(heads.Length * 2);
        }

        Place(slot);
        Count++;
    }

    /// <summary>Takes a slot out that is in it, before its item changes.</summary>
    public void Remove(int slot)
    {
        ref var link = ref heads[ChainOf(hashOf(slot))];
        while (link != slot + 1)
        {
            link = ref linkOf(link - 1);
        }

        link = linkOf(slot);
        Count--;
        if (heads.Length > FewChains && Count < heads.Length * load / 8)
        {
            Resize(heads.Length / 2);
        }
    }

    private int ChainOf(int hash) => (int)(((uint)hash * 0x9E3779B9u) >> (32 - BitOperations.Log2((uint)heads.Length)));

    private void Resize(int length)
    {
        var before = heads;
        heads = new int[length];
        foreach (var head in before)
        {
            for (int at = head, next; at != 0; at = next)
            {
                next = linkOf(at - 1);
                Place(at - 1);
            }
        }
    }

    private void Place(int slot)
    {
        ref var head = ref heads[ChainOf(hashOf(slot))];
        linkOf(slot) = head;
        head = slot + 1;
    }
}
