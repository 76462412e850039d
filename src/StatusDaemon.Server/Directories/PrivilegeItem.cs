using System.Runtime.InteropServices;
using StatusDaemon.Names;

namespace StatusDaemon.Directories;

/// <summary>What a key of the privilege database speaks of, and is read as one.</summary>
internal enum PrivilegeKind : byte
{
    /// <summary>Whom a domain name logs in.</summary>
    DName,

    /// <summary>Whom a number leads to.</summary>
    Number,

    /// <summary>What is shown of a subscriber.</summary>
    Description,

    /// <summary>The black and the white list of a subscriber: two keys that are only ever read together, since one without the other may show what both hide.</summary>
    Rules,
}

/// <summary>One thing that the privilege database says, or has ceased to say.</summary>
/// <param name="Name">The domain name, the number or the UID, as it is written.</param>
internal readonly record struct PrivilegeItem(PrivilegeKind Kind, string Name)
{
    /// <summary>A number that another item hardly ever has: to remember many of them in little.</summary>
    public ulong Mark => Uid.StableHash(MemoryMarshal.AsBytes(Name.AsSpan())) ^ ((ulong)Kind << 62);
}
