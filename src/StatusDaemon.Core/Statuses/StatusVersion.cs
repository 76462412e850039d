using System.Globalization;

namespace StatusDaemon.Statuses;

/// <summary>When a status was accepted, in the order of the shard that owns it: never a clock's time.</summary>
/// <param name="Incarnation">Random id of the store; another one means that the store was restored or emptied. 0 in the default value, which is older than all.</param>
/// <param name="Epoch">Counter of the store, raised before each activation of a shard; 1 or more.</param>
/// <param name="Seq">Grows with each change that the activation accepts; 1 or more.</param>
/// <remarks>Written <c>incarnation.epoch.seq</c>, the incarnation as 16 hexadecimal digits (contract: docs/protocol.md §7).</remarks>
public readonly record struct StatusVersion(ulong Incarnation, long Epoch, long Seq)
{
    /// <summary>Whether this is the default value: nothing was ever accepted.</summary>
    public bool IsNone => Incarnation == 0;

    /// <summary>Whether this version comes after another one of the same incarnation.</summary>
    /// <remarks>Versions of two incarnations have no order; whoever meets one takes a snapshot as truth. Every version is newer than none.</remarks>
    public bool IsNewerThan(StatusVersion other) =>
        other.IsNone ? !IsNone : Incarnation == other.Incarnation && (Epoch > other.Epoch || (Epoch == other.Epoch && Seq > other.Seq));

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out StatusVersion version)
    {
        version = default;
        Span<Range> parts = stackalloc Range[4];
        if (text.Split(parts, '.') != 3
            || text[parts[0]].Length != 16
            || !ulong.TryParse(text[parts[0]], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var incarnation)
            || !long.TryParse(text[parts[1]], NumberStyles.None, CultureInfo.InvariantCulture, out var epoch)
            || !long.TryParse(text[parts[2]], NumberStyles.None, CultureInfo.InvariantCulture, out var seq))
        {
            return false;
        }

        version = new StatusVersion(incarnation, epoch, seq);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Incarnation:x16}.{Epoch}.{Seq}");
}
