namespace StatusDaemon.Tests.Protocol;

/// <summary>One case of the Autobahn TestSuite.</summary>
/// <param name="Number">Its number there.</param>
/// <param name="Parts">What the client sends: frames, or pieces of one.</param>
/// <param name="Events">What a reader finds in them, as <see cref="ClientFrames.Read(ReadOnlySpan{byte}, int, int)"/> writes it down.</param>
internal sealed record ConformanceCase(string Number, byte[][] Parts, params string[] Events)
{
    /// <summary>Bytes that go out at once; 0 sends each part by itself.</summary>
    public int Chop { get; init; } = int.MaxValue;

    /// <summary>What the client would send next, had the server not refused already.</summary>
    public byte[] Held { get; init; } = [];

    /// <summary>All that is sent.</summary>
    public byte[] Stream => [.. Parts.SelectMany(part => part)];

    /// <summary>The same, cut as the case wants it.</summary>
    public IEnumerable<byte[]> Pieces => Chop == 0 ? Parts : Stream.Chunk(Math.Min(Chop, Stream.Length));

    /// <summary>Whether the connection lives on.</summary>
    public bool IsOpen => !Events.Any(seen => seen.StartsWith("close:", StringComparison.Ordinal) || seen.StartsWith("refused:", StringComparison.Ordinal));

    /// <summary>The same octets, chopped in another way under another number.</summary>
    public ConformanceCase As(string number, int chop) => this with { Number = number, Chop = chop };
}
