namespace StatusDaemon.Directories;

/// <summary>The type of a key of the privilege database.</summary>
internal enum PrivilegeKeyType : byte
{
    /// <summary>A string with a UID.</summary>
    LookUp,

    /// <summary>A hash with what is shown of a subscriber.</summary>
    Hash,

    /// <summary>A set of selectors.</summary>
    Set,
}

/// <summary>The smallest thing that is written to the privilege database by itself.</summary>
/// <param name="Part">The field of a hash, or the member of a set; empty for a look-up.</param>
internal readonly record struct PrivilegeEntry(PrivilegeKeyType Type, string Key, string Part);

/// <summary>What an entry says, and of whom.</summary>
/// <param name="Value">The UID of a look-up, the value of a field; empty for a member of a set.</param>
/// <param name="Uid">Of the subscriber that it speaks of.</param>
internal readonly record struct PrivilegeSaying(string Value, string Uid);
