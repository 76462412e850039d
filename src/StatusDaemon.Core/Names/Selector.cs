using System.Diagnostics.CodeAnalysis;

namespace StatusDaemon.Names;

/// <summary>One entry of a black or white list: whom it speaks of (docs/protocol.md §9).</summary>
public abstract record Selector
{
    private Selector()
    {
    }

    /// <summary><c>*</c>: everybody.</summary>
    public sealed record Everyone : Selector
    {
        /// <inheritdoc/>
        public override string ToString() => "*";
    }

    /// <summary>A UID: one subscriber.</summary>
    public sealed record One(Uid Uid) : Selector
    {
        /// <inheritdoc/>
        public override string ToString() => Uid.ToString();
    }

    /// <summary><c>number:&lt;glob&gt;</c>: whoever has a phone number that fits.</summary>
    public sealed record ByNumber(Glob Pattern) : Selector
    {
        /// <inheritdoc/>
        public override string ToString() => $"number:{Pattern}";
    }

    /// <summary><c>dname:&lt;glob&gt;</c>: whoever has a domain name that fits.</summary>
    public sealed record ByDName(Glob Pattern) : Selector
    {
        /// <inheritdoc/>
        public override string ToString() => $"dname:{Pattern}";
    }

    /// <summary><c>domain:&lt;name&gt;</c>: everyone of a domain.</summary>
    public sealed record ByDomain(DomainName Domain) : Selector
    {
        /// <inheritdoc/>
        public override string ToString() => $"domain:{Domain}";
    }

    /// <summary>Reads a selector as an administrator wrote it.</summary>
    /// <param name="problem">In words, what is wrong; empty on success.</param>
    /// <remarks>A text with an unknown prefix such as <c>nmber:</c> or <c>Number:</c> is a UID by grammar; a list that means something else would hide or show nobody, so <c>word:</c> of letters is refused.</remarks>
    public static bool TryParse(string? text, [NotNullWhen(true)] out Selector? selector, out string problem)
    {
        problem = "";
        selector = text switch
        {
            "*" => new Everyone(),
            not null when After(text, "number:", out var number) => Glob.TryParse(number, out var glob) ? new ByNumber(glob) : null,
            not null when After(text, "dname:", out var dname) => Glob.TryParse(dname, out var glob) ? new ByDName(glob) : null,
            not null when After(text, "domain:", out var domain) => DomainName.TryParse(domain, out var name) ? new ByDomain(name) : null,
            not null when HasOtherPrefix(text) => null,
            _ => Uid.TryParse(text, out var uid) ? new One(uid) : null,
        };
        if (selector is null)
        {
            problem = $"'{text}' is not a selector: a UID, number:<glob>, dname:<glob>, domain:<name> or *";
        }

        return selector is not null;
    }

    private static bool After(string text, string prefix, out string rest)
    {
        var good = text.StartsWith(prefix, StringComparison.Ordinal);
        rest = good ? text[prefix.Length..] : "";
        return good;
    }

    // URNs such as urn:uuid:… are UIDs in some directories.
    private static bool HasOtherPrefix(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && !text.StartsWith("urn:", StringComparison.OrdinalIgnoreCase) && text[..colon].All(char.IsAsciiLetter);
    }
}
