namespace StatusDaemon.Routing;

/// <summary>Items by slot in chunks: it grows without copying, at most one chunk is left over, and an item stays where it is.</summary>
/// <remarks>So <c>ref</c>s to items stay true, also while it grows. It does not shrink: whoever frees slots gives them out again.</remarks>
public sealed class SlotChunks<T>
{
    private const int Bits = 8;
    private const int Size = 1 << Bits;

    private readonly List<T[]> chunks = [];

    /// <summary>Slots there are: from 0 on.</summary>
    public int Count { get; private set; }

    /// <summary>The item of a slot.</summary>
    public ref T this[int slot] => ref chunks[slot >> Bits][slot & (Size - 1)];

    /// <summary>Makes one slot more.</summary>
    /// <returns>The slot; its item is the default value.</returns>
    public int Add()
    {
        if (Count == chunks.Count << Bits)
        {
            chunks.Add(new T[Size]);
        }

        return Count++;
    }
}
