namespace StatusDaemon.Statuses;

/// <summary>The names of statuses as users and settings write them, such as <c>DO_NOT_DISTURB</c>.</summary>
public static class StatusNames
{
    private static readonly string[] ByNumber =
        ["", "ENABLE", "BUSY", "NOT_REGISTERED", "INCOMING", "DO_NOT_DISTURB", "ABSENT", "FORWARDING", "UNKNOWN"];

    /// <summary>All names in the order of their numbers.</summary>
    public static ReadOnlySpan<string> All => ByNumber.AsSpan(1);

    /// <summary>The name of a status.</summary>
    public static string Of(Status status) => ByNumber[(int)status];

    /// <summary>Whether a number is a status: 1 to 8.</summary>
    public static bool IsStatus(long number) => number is >= 1 and <= 8;

    /// <summary>Reads a name in any case, with <c>-</c> for <c>_</c> too, or a number 1 to 8.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Status status)
    {
        status = default;
        if (text is [>= '1' and <= '8'])
        {
            status = (Status)(text[0] - '0');
            return true;
        }

        for (var number = 1; number < ByNumber.Length; number++)
        {
            if (SameName(text, ByNumber[number]))
            {
                status = (Status)number;
                return true;
            }
        }

        return false;
    }

    private static bool SameName(ReadOnlySpan<char> text, string name)
    {
        if (text.Length != name.Length)
        {
            return false;
        }

        for (var i = 0; i < name.Length; i++)
        {
            if (char.ToUpperInvariant(text[i] == '-' ? '_' : text[i]) != name[i])
            {
                return false;
            }
        }

        return true;
    }
}
