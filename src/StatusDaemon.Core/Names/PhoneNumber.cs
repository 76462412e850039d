using System.Buffers;

namespace StatusDaemon.Names;

/// <summary>A phone number as people dial it inside the organisation: digits, and <c>+ * #</c> where a PBX uses them.</summary>
/// <remarks>1 to <see cref="MaxLength"/> characters; compared as written, so <c>+7</c> and <c>8</c> are different. The default value is no number.</remarks>
public readonly record struct PhoneNumber
{
    /// <summary>Longest number in characters: E.164 allows 15 digits, PBX prefixes and codes come on top.</summary>
    public const int MaxLength = 32;

    private static readonly SearchValues<char> Allowed = SearchValues.Create("0123456789+*#");

    private readonly string? text;

    private PhoneNumber(string text) => this.text = text;

    /// <summary>Reads a number that the other side may have made up.</summary>
    /// <returns>False for an empty, too long or ill-formed number; it never throws.</returns>
    public static bool TryParse(string? text, out PhoneNumber number)
    {
        var good = text is { Length: > 0 and <= MaxLength } && !text.AsSpan().ContainsAnyExcept(Allowed);
        number = good ? new PhoneNumber(text!) : default;
        return good;
    }

    /// <inheritdoc/>
    public override string ToString() => text ?? "";
}
