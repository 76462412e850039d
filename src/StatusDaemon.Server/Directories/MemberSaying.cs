using System.Globalization;

namespace StatusDaemon.Directories;

/// <summary>What a member of the cluster says of its directory file.</summary>
/// <param name="Hash"><see cref="DirectoryFile.Hash"/> of the file that it has in force.</param>
/// <param name="Count">How often it has said something.</param>
internal readonly record struct MemberSaying(string Hash, long Count)
{
    /// <summary>Reads what a member wrote.</summary>
    /// <returns>False for anything else.</returns>
    public static bool TryParse(string text, out MemberSaying saying)
    {
        saying = default;
        if (text.Split(' ') is not [{ Length: 64 } hash, var digits] || !hash.All(char.IsAsciiHexDigitLower) || !long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            return false;
        }

        saying = new MemberSaying(hash, count);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Hash} {Count}");
}
