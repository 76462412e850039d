using StatusDaemon.Names;

namespace StatusDaemon.Privileges;

/// <summary>What holds where the directory has no entry or no rule.</summary>
public sealed record DirectoryPolicy
{
    /// <summary><c>PRIVILEGES.default</c>: whether a watcher of whom no rule speaks sees the publisher.</summary>
    public bool AllowsByDefault { get; init; } = true;

    /// <summary><c>SYNC.domain</c>; empty means that every subscriber of the directory is local.</summary>
    public DomainName Home { get; init; }

    /// <summary>Whether a UID that no directory knows counts as a local subscriber: <c>STORAGE.unknown_uids: accept</c>, and the benchmarks' <c>trusted-header</c> mode.</summary>
    public bool AcceptsUnknown { get; init; }

    /// <summary>Whether a UID that no directory knows may log in: only in the benchmarks' <c>trusted-header</c> mode, which accepts it too.</summary>
    public bool AdmitsUnknown { get; init; }
}
