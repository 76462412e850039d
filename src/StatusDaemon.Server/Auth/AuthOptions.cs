namespace StatusDaemon.Auth;

/// <summary>How a client proves who it is.</summary>
internal enum AuthMode
{
    /// <summary>GSS/Kerberos: the only mode for people.</summary>
    Kerberos,

    /// <summary>The UID stands in the header <c>X-Status-Uid</c>: for benchmarks, on loopback only.</summary>
    TrustedHeader,
}

/// <summary>Section <c>AUTH</c> of the settings.</summary>
internal sealed class AuthOptions
{
    /// <summary>How a client proves who it is.</summary>
    public AuthMode Mode { get; init; } = AuthMode.Kerberos;

    /// <summary>Service names that tickets may be for, as <c>HTTP@host</c>; empty means HTTP at this host's name.</summary>
    public IReadOnlyList<string> ServiceNames { get; init; } = [];

    /// <summary>Absolute path of the keytab; null means that none is set, which starts the sandbox realm.</summary>
    public string? Keytab { get; init; }

    /// <summary>Absolute path of the replay cache file; null means a file under <c>STATE.path</c>.</summary>
    public string? ReplayCache { get; init; }

    /// <summary>Realms that clients may come from; empty means those of the keytab's keys.</summary>
    public IReadOnlyList<string> Realms { get; init; } = [];

    /// <summary>Whether a connection is closed 1008 when its ticket ends.</summary>
    public bool CloseAtTicketEnd { get; init; }
}
