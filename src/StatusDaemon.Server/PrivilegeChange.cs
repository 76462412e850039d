namespace StatusDaemon;

/// <summary>What is to happen to an entry of the privilege database.</summary>
public enum PrivilegeChangeKind
{
    /// <summary>It is not there yet.</summary>
    Added,

    /// <summary>It says something else.</summary>
    Changed,

    /// <summary>It is there and should not be.</summary>
    Removed,
}

/// <summary>One entry of the privilege database that differs from what a directory file says.</summary>
/// <param name="Uid">Of the subscriber that it speaks of.</param>
/// <param name="Key">The key.</param>
/// <param name="Part">The field of a hash, or the member of a set; null for a key with one value.</param>
/// <param name="Before">The value that is there; null for none, and for a member, which has none.</param>
/// <param name="After">The value that should be; null for none, and for a member.</param>
public sealed record PrivilegeChange(PrivilegeChangeKind Kind, string Uid, string Key, string? Part, string? Before, string? After);
