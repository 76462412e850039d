using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Utf8Encoder = System.Text.Unicode.Utf8;

namespace StatusDaemon.Names;

/// <summary>The identity of a subscriber: an opaque name that the directory gives, usually a UUID.</summary>
/// <remarks>
/// Grammar: docs/protocol.md §2.1. Compared byte by byte. It is a class and not a small struct because one object is shared
/// by everything that speaks of the subscriber (<see cref="UidTable"/>) and because its hash is asked for on every status.
/// </remarks>
public sealed class Uid : IEquatable<Uid>
{
    /// <summary>Longest UID in bytes of UTF-8; the shortest is one byte.</summary>
    public const int MaxBytes = 128;

    /// <summary>Compares UIDs, also with bytes that are not an object yet: a look-up allocates nothing.</summary>
    public static readonly IEqualityComparer<Uid> Comparer = new ByBytes();

    private readonly byte[] utf8;
    private readonly ulong hash;

    private Uid(byte[] utf8)
    {
        this.utf8 = utf8;
        hash = StableHash(utf8);
    }

    /// <summary>The name as it goes over the wire, 1 to <see cref="MaxBytes"/> bytes.</summary>
    public ReadOnlySpan<byte> Utf8 => utf8;

    /// <summary>The same number for the same UID in every process and release.</summary>
    public ulong Stable => hash;

    /// <summary>The shard that owns the subscriber: the same one in every process, module and release.</summary>
    /// <param name="shards">Shards of the deployment, a power of two.</param>
    public int ShardOf(int shards) => (int)(hash & (ulong)(shards - 1));

    /// <summary>Reads a UID that the other side may have made up.</summary>
    /// <returns>False for an empty, too long or ill-formed name; it never throws.</returns>
    public static bool TryParse(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out Uid? uid)
    {
        uid = IsValid(utf8) ? new Uid(utf8.ToArray()) : null;
        return uid is not null;
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{byte}, out Uid?)"/>
    public static bool TryParse(string? text, [NotNullWhen(true)] out Uid? uid)
    {
        uid = null;
        if (text is not { Length: > 0 and <= MaxBytes })
        {
            return false;
        }

        // Half a surrogate pair is refused: replaced by U+FFFD, two different texts would be one subscriber.
        Span<byte> utf8 = stackalloc byte[MaxBytes];
        return Utf8Encoder.FromUtf16(text, utf8, out _, out var written, replaceInvalidSequences: false) == OperationStatus.Done
            && TryParse(utf8[..written], out uid);
    }

    /// <summary>Whether these bytes are a UID: 1 to <see cref="MaxBytes"/> bytes of UTF-8 without control characters.</summary>
    public static bool IsValid(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length is 0 or > MaxBytes || utf8.IndexOfAnyInRange((byte)0, (byte)0x1F) >= 0 || utf8.Contains((byte)0x7F))
        {
            return false;
        }

        // U+0080 to U+009F are control characters too; in UTF-8 they are C2 80 to C2 9F.
        for (var at = utf8.IndexOf((byte)0xC2); at >= 0 && at + 1 < utf8.Length;)
        {
            if (utf8[at + 1] is >= 0x80 and <= 0x9F)
            {
                return false;
            }

            var next = utf8[(at + 1)..].IndexOf((byte)0xC2);
            at = next < 0 ? -1 : at + 1 + next;
        }

        return Utf8Encoder.IsValid(utf8);
    }

    /// <summary>FNV-1a, 64 bits: short, and fixed for ever, since a change would move subscribers between shards.</summary>
    public static ulong StableHash(ReadOnlySpan<byte> utf8)
    {
        var value = 14695981039346656037UL;
        foreach (var b in utf8)
        {
            value = (value ^ b) * 1099511628211UL;
        }

        return value;
    }

    /// <inheritdoc/>
    public bool Equals(Uid? other) =>
        ReferenceEquals(this, other) || (other is not null && hash == other.hash && Utf8.SequenceEqual(other.Utf8));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Uid);

    /// <inheritdoc/>
    public override int GetHashCode() => Fold(hash);

    /// <inheritdoc/>
    public override string ToString() => Encoding.UTF8.GetString(utf8);

    private static int Fold(ulong hash) => (int)(hash ^ (hash >> 32));

    private sealed class ByBytes : IEqualityComparer<Uid>, IAlternateEqualityComparer<ReadOnlySpan<byte>, Uid>
    {
        public bool Equals(Uid? x, Uid? y) => x?.Equals(y) ?? y is null;

        public int GetHashCode(Uid uid) => uid.GetHashCode();

        public bool Equals(ReadOnlySpan<byte> alternate, Uid other) => other.Utf8.SequenceEqual(alternate);

        public int GetHashCode(ReadOnlySpan<byte> alternate) => Fold(StableHash(alternate));

        public Uid Create(ReadOnlySpan<byte> alternate) => new(alternate.ToArray());
    }
}
