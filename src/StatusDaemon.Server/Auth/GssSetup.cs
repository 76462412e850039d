using System.Collections.Frozen;

namespace StatusDaemon.Auth;

/// <summary>What the acceptor works with, defaults filled in by <see cref="AuthProbe"/>.</summary>
internal sealed record GssSetup
{
    /// <summary>Absolute path.</summary>
    public required string Keytab { get; init; }

    /// <summary>Absolute path of the file that remembers tokens for the time of the clock skew.</summary>
    public required string ReplayCache { get; init; }

    /// <summary>Services that tickets may be for; the keytab may hold keys of others.</summary>
    public required FrozenSet<ServiceName> Services { get; init; }

    /// <summary>Realms that clients may come from, compared with case.</summary>
    public required FrozenSet<string> Realms { get; init; }
}
