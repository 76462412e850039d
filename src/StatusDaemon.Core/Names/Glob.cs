namespace StatusDaemon.Names;

/// <summary>A pattern with <c>*</c> (any run of characters), <c>?</c> (one character) and <c>[a-z]</c>, <c>[!0-4]</c> (one of a set).</summary>
/// <remarks>Matches the whole text, with case. Time is at most pattern length × text length: a hostile pattern cannot make it explode.</remarks>
public readonly record struct Glob
{
    /// <summary>Longest pattern in characters.</summary>
    public const int MaxLength = 256;

    private readonly string? pattern;

    private Glob(string pattern) => this.pattern = pattern;

    /// <summary>The characters before the first wildcard: every text that fits begins with them.</summary>
    public string Prefix => pattern is null ? "" : pattern.AsSpan().IndexOfAny('*', '?', '[') is var at and >= 0 ? pattern[..at] : pattern;

    /// <summary>Reads a pattern.</summary>
    /// <returns>False for an empty or too long pattern, control characters, or a <c>[</c> without its <c>]</c>; it never throws.</returns>
    public static bool TryParse(string? text, out Glob glob)
    {
        glob = default;
        if (text is not { Length: > 0 and <= MaxLength } || text.Any(char.IsControl))
        {
            return false;
        }

        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '[')
            {
                i = SetEnd(text, i);
                if (i < 0)
                {
                    return false;
                }
            }
        }

        glob = new Glob(text);
        return true;
    }

    /// <summary>Whether the whole text fits the pattern. The default value fits nothing.</summary>
    public bool Matches(ReadOnlySpan<char> text)
    {
        if (pattern is null)
        {
            return false;
        }

        // On a mismatch the last star takes one character more; earlier stars never need to be reconsidered.
        int p = 0, t = 0, starP = -1, starT = 0;
        while (t < text.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                starP = p++;
                starT = t;
            }
            else if (p < pattern.Length && MatchesOne(text[t], p, out var next))
            {
                p = next;
                t++;
            }
            else if (starP >= 0)
            {
                p = starP + 1;
                t = ++starT;
            }
            else
            {
                return false;
            }
        }

        return pattern.AsSpan(p).ContainsAnyExcept('*') is false;
    }

    /// <inheritdoc/>
    public override string ToString() => pattern ?? "";

    /// <summary>Index of the <c>]</c> that ends the set opened at <paramref name="open"/>, -1 if none does; a <c>]</c> right after the opening is a member.</summary>
    private static int SetEnd(string text, int open)
    {
        var first = open + 1 < text.Length && text[open + 1] is '!' or '^' ? open + 2 : open + 1;
        return first >= text.Length ? -1 : text.IndexOf(']', first + 1);
    }

    private bool MatchesOne(char c, int p, out int next)
    {
        next = p + 1;
        if (pattern![p] == '?')
        {
            return true;
        }

        if (pattern[p] != '[')
        {
            return pattern[p] == c;
        }

        var end = SetEnd(pattern, p);
        next = end + 1;
        var negated = pattern[p + 1] is '!' or '^';
        var found = false;
        for (var i = negated ? p + 2 : p + 1; i < end; i++)
        {
            if (i + 2 < end && pattern[i + 1] == '-')
            {
                found |= c >= pattern[i] && c <= pattern[i + 2];
                i += 2;
            }
            else
            {
                found |= c == pattern[i];
            }
        }

        return found != negated;
    }
}
