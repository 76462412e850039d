using System.Numerics;

namespace StatusDaemon.Routing;

/// <summary>How many watches of each gateway are shown a publisher: which gateways a status is for.</summary>
/// <remarks>
/// Most publishers have a few watchers at a few gateways, so eight gateways have a byte each, and only what does not fit there takes an array.
/// A mutable struct that lives in a field of its owner: copying it shares the array, so it is never passed around.
/// </remarks>
public struct ShownCounts
{
    private const int FewGateways = 8;
    private const int InMany = byte.MaxValue;

    private ulong few; // a byte for each gateway of the first slots
    private Many? many;

    /// <summary>Whether no watch is shown it.</summary>
    public readonly bool IsEmpty => few == 0 && many is not { Watches.Count: > 0 };

    /// <summary>Counts shown watches of a gateway.</summary>
    /// <param name="gateway">Its slot.</param>
    /// <param name="change">1, or -1 if there is at least one.</param>
    public void Change(int gateway, int change)
    {
        var watches = gateway < FewGateways ? FewAt(gateway) : InMany;
        if (watches != InMany && watches + change < InMany)
        {
            SetFew(gateway, watches + change);
        }
        else if (ChangeMany(gateway, watches == InMany ? 0 : watches, change) == 0 && gateway < FewGateways)
        {
            SetFew(gateway, 0);
        }
        else if (gateway < FewGateways)
        {
            SetFew(gateway, InMany);
        }
    }

    /// <summary>Slots of the gateways with at least one; none may be counted meanwhile.</summary>
    public readonly Enumerator GetEnumerator() => new(few, many is null ? [] : many.Watches.Items);

    private readonly int FewAt(int gateway) => (int)(few >> (gateway * 8)) & byte.MaxValue;

    private void SetFew(int gateway, int watches) => few = (few & ~((ulong)byte.MaxValue << (gateway * 8))) | ((ulong)watches << (gateway * 8));

    private int ChangeMany(int gateway, int before, int change)
    {
        ref var watches = ref (many ??= new Many()).Watches;
        var at = watches.Find(gateway);
        if (at < 0)
        {
            watches.Insert(~at, new Count(gateway, before + change));
            return before + change;
        }

        var after = watches.Items[at].Watches + change;
        if (after == 0)
        {
            watches.RemoveAt(at);
        }
        else
        {
            watches.Items[at] = new Count(gateway, after);
        }

        return after;
    }

    /// <summary>Goes over the gateways.</summary>
    public ref struct Enumerator
    {
        private readonly ReadOnlySpan<Count> many;
        private ulong few;
        private int at = -1;

        internal Enumerator(ulong few, ReadOnlySpan<Count> many)
        {
            this.few = few;
            this.many = many;
        }

        /// <summary>The gateway's slot.</summary>
        public int Current { get; private set; }

        /// <summary>Goes to the next gateway.</summary>
        public bool MoveNext()
        {
            while (few != 0)
            {
                Current = BitOperations.TrailingZeroCount(few) / 8;
                var lane = (ulong)byte.MaxValue << (Current * 8);
                var isHere = (few & lane) != lane;
                few &= ~lane;
                if (isHere)
                {
                    return true;
                }
            }

            if (++at >= many.Length)
            {
                return false;
            }

            Current = many[at].Slot;
            return true;
        }
    }

    /// <summary>One gateway's watches.</summary>
    internal readonly record struct Count(int Slot, int Watches) : ISlotted;

    private sealed class Many
    {
        public SlotList<Count> Watches;
    }
}
