using System.Runtime.InteropServices;

namespace StatusDaemon.Protocol;

/// <summary>Names of one JSON object in the order they came, each once; reused from message to message.</summary>
/// <remarks>
/// Adding is O(1) also for names that a client chose to collide: the hash is the runtime's own for strings (Marvin), keyed at random for each
/// process, so nobody outside can aim at a slot.
/// </remarks>
internal sealed class NameSet
{
    /// <summary>Bytes and names for which memory is kept between messages; what a bigger message needed is dropped by <see cref="Clear"/>.</summary>
    private const int KeptBytes = 8 * 1024;
    private const int KeptNames = 256;

    private byte[] bytes = [];
    private Entry[] entries = [];

    // Open addressing, twice as many slots as entries: index of the entry plus one, 0 where free.
    private int[] slots = [];
    private int used;

    public int Count { get; private set; }

    public ReadOnlySpan<byte> this[int index] => NameOf(entries.AsSpan(0, Count)[index]);

    /// <summary>Room behind the last name, where the caller writes the next one before <see cref="TryAdd"/>.</summary>
    public Span<byte> Reserve(int length)
    {
        // One byte more: TryAdd pads to whole characters.
        if (bytes.Length - used <= length)
        {
            Array.Resize(ref bytes, Math.Max(256, Math.Max(2 * bytes.Length, used + length + 1)));
        }

        return bytes.AsSpan(used, length);
    }

    /// <summary>Whether the flag of a name was set.</summary>
    public bool IsFlagged(int index) => entries.AsSpan(0, Count)[index].Flag;

    /// <summary>Sets the flag of the name that was added last.</summary>
    public void FlagLast() => entries[Count - 1] = entries[Count - 1] with { Flag = true };

    /// <summary>Keeps the first <paramref name="length"/> bytes of the room.</summary>
    /// <returns>False if the name is there already.</returns>
    public bool TryAdd(int length)
    {
        if (Count == entries.Length)
        {
            Grow();
        }

        var padded = length + (length & 1);
        bytes.AsSpan(used + length, padded - length).Clear();
        var hash = string.GetHashCode(MemoryMarshal.Cast<byte, char>(bytes.AsSpan(used, padded)));
        var added = new Entry(used, length, hash);
        var slot = hash & (slots.Length - 1);
        for (; slots[slot] != 0; slot = (slot + 1) & (slots.Length - 1))
        {
            var other = entries[slots[slot] - 1];
            if (other.Hash == hash && NameOf(other).SequenceEqual(NameOf(added)))
            {
                return false;
            }
        }

        entries[Count++] = added;
        slots[slot] = Count;
        used += padded;
        return true;
    }

    /// <summary>Forgets all names, and the memory of unusually many.</summary>
    public void Clear()
    {
        if (bytes.Length > KeptBytes)
        {
            bytes = [];
        }

        if (entries.Length > KeptNames)
        {
            entries = [];
            slots = [];
        }
        else if (Count > 0)
        {
            Array.Clear(slots);
        }

        used = 0;
        Count = 0;
    }

    private void Grow()
    {
        Array.Resize(ref entries, Math.Max(8, 2 * entries.Length));
        slots = new int[2 * entries.Length];
        for (var index = 0; index < Count; index++)
        {
            var slot = entries[index].Hash & (slots.Length - 1);
            while (slots[slot] != 0)
            {
                slot = (slot + 1) & (slots.Length - 1);
            }

            slots[slot] = index + 1;
        }
    }

    private ReadOnlySpan<byte> NameOf(Entry entry) => bytes.AsSpan(entry.Start, entry.Length);

    private readonly record struct Entry(int Start, int Length, int Hash, bool Flag = false);
}
