namespace StatusDaemon.Names;

/// <summary>A domain name: the Kerberos principal of a subscriber, such as <c>alice@EXAMPLE.ORG</c>.</summary>
/// <remarks>
/// Always the whole principal: <c>alice@BETA</c> and <c>alice@ALPHA</c> are two people. Compared as Kerberos does, with case.
/// At most <see cref="MaxLength"/> characters, no control characters, no white space, a user part and a realm.
/// The default value names nobody.
/// </remarks>
public readonly record struct DName
{
    /// <summary>Longest name in characters.</summary>
    public const int MaxLength = 256;

    private readonly string? text;

    private DName(string text) => this.text = text;

    /// <summary>Whether this is the default value, which names nobody.</summary>
    public bool IsEmpty => text is null;

    /// <summary>The part before the last <c>@</c>.</summary>
    public ReadOnlySpan<char> User => text.AsSpan(0, Math.Max(0, At));

    /// <summary>The part after the last <c>@</c>.</summary>
    public ReadOnlySpan<char> Realm => text.AsSpan(At + 1);

    private int At => text?.LastIndexOf('@') ?? -1;

    /// <summary>Reads a name that the other side may have made up.</summary>
    /// <returns>False for an empty, too long or ill-formed name; it never throws.</returns>
    public static bool TryParse(string? text, out DName name)
    {
        name = default;
        if (text is not { Length: > 2 and <= MaxLength })
        {
            return false;
        }

        var at = text.LastIndexOf('@');
        if (at < 1 || at == text.Length - 1 || text.Any(c => char.IsControl(c) || char.IsWhiteSpace(c)))
        {
            return false;
        }

        name = new DName(text);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => text ?? "";
}
