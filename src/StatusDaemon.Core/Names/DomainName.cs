using System.Buffers;

namespace StatusDaemon.Names;

/// <summary>A domain that owns subscribers, such as <c>example.org</c>; always held in lower case.</summary>
/// <remarks>
/// Letters, digits, dots, hyphens and underscores of ASCII, at most <see cref="MaxLength"/>. The default value names no domain;
/// see <see cref="IsEmpty"/>.
/// </remarks>
public readonly record struct DomainName
{
    /// <summary>Longest name in characters: RFC 1035 §2.3.4, less the root label.</summary>
    public const int MaxLength = 253;

    private static readonly SearchValues<char> Allowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");

    private readonly string? text;

    private DomainName(string text) => this.text = text;

    /// <summary>Whether this is the default value, which names no domain.</summary>
    public bool IsEmpty => text is null;

    /// <summary>Reads a name that the other side may have made up.</summary>
    /// <returns>False for an empty, too long or ill-formed name; it never throws.</returns>
    public static bool TryParse(string? text, out DomainName name)
    {
        var good = text is { Length: > 0 and <= MaxLength } && !text.AsSpan().ContainsAnyExcept(Allowed);
        name = good ? new DomainName(text!.ToLowerInvariant()) : default;
        return good;
    }

    /// <inheritdoc/>
    public override string ToString() => text ?? "";
}
