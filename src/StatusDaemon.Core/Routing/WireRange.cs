namespace StatusDaemon.Routing;

/// <summary>Which versions of messages a member reads: the answer to one of another version.</summary>
/// <remarks>Its own form never changes. No other message is so short.</remarks>
/// <param name="Oldest">The first byte, where other messages have their version.</param>
public sealed record WireRange(byte Oldest, byte Newest) : IFramed
{
    private const int Length = 2;

    /// <summary>What this member reads.</summary>
    public static readonly WireRange Ours = new(WireVersion.Oldest, WireVersion.Newest);

    /// <summary>Whether it has a version.</summary>
    public bool Has(byte version) => version >= Oldest && version <= Newest;

    /// <summary>The newest version that two members read; null if there is none.</summary>
    public byte? Common(WireRange other) => Math.Min(Newest, other.Newest) is var version && Has(version) && other.Has(version) ? version : null;

    /// <inheritdoc/>
    public byte[] ToBytes(byte version = WireVersion.Newest) => [Oldest, Newest];

    /// <summary>Reads what <see cref="ToBytes"/> wrote.</summary>
    /// <returns>Null if it is another message.</returns>
    public static WireRange? TryParse(ReadOnlySpan<byte> bytes) => bytes.Length == Length ? new WireRange(bytes[0], bytes[1]) : null;

    /// <inheritdoc/>
    public override string ToString() => $"{Oldest} to {Newest}";
}
