using System.Net;

namespace StatusDaemon;

/// <summary>What runs, for the one who started it: facts only, the command line has the words in the user's language.</summary>
public sealed record StartReport
{
    /// <summary>The daemon, where it runs for others; null where it does not.</summary>
    public required DaemonReport? Daemon { get; init; }

    /// <summary>The status server; null where it does not run here.</summary>
    public required GatewayReport? Gateway { get; init; }
}

/// <summary>A daemon for modules in other processes.</summary>
/// <param name="Address">Where they reach it.</param>
/// <param name="Cluster">Name of the cluster that it is a member of; null where it is the only daemon.</param>
/// <param name="Peers">Where other daemons reach it.</param>
public sealed record DaemonReport(IPEndPoint Address, int Shards, string? Cluster, IPEndPoint Peers);

/// <summary>A status server.</summary>
public sealed record GatewayReport
{
    /// <summary>Where clients of this machine reach it, such as <c>http://127.0.0.1:8080</c>; with TLS under a name that the certificate has, where one fits.</summary>
    public required Uri Address { get; init; }

    /// <summary>Absolute <c>STATE.path</c>.</summary>
    public required string StatePath { get; init; }

    /// <summary>Realms of the sandbox; empty where a keytab is set.</summary>
    public required IReadOnlyList<string> SandboxRealms { get; init; }

    /// <summary>How people log in.</summary>
    public required LoginReport Login { get; init; }

    /// <summary>Two subscribers of the directory who can log in, to try with; fewer if it has fewer.</summary>
    public required IReadOnlyList<(string Uid, string DName)> Subscribers { get; init; }
}

/// <summary>How people log in.</summary>
public abstract record LoginReport
{
    private LoginReport()
    {
    }

    /// <summary>With a ticket.</summary>
    /// <param name="Services">Services that tickets may be for, as <c>HTTP@host</c>, the first being the one to suggest.</param>
    /// <param name="Keys">Their principals, each with the versions of its keys: <c>HTTP/host@REALM (kvno 3)</c>.</param>
    /// <param name="Realms">Realms that clients may come from.</param>
    public sealed record Kerberos(IReadOnlyList<string> Services, IReadOnlyList<string> Keys, IReadOnlyList<string> Realms, IReadOnlyList<LoginWarning> Warnings) : LoginReport;

    /// <summary>Whoever connects is who the header says.</summary>
    public sealed record TrustedHeader(string Header) : LoginReport;
}

/// <summary>What looks wrong at the start and may be right.</summary>
public abstract record LoginWarning
{
    private LoginWarning()
    {
    }

    /// <summary>The clock says a time before this program was written.</summary>
    public sealed record ClockUnset(DateTimeOffset Now) : LoginWarning;

    /// <summary>The keytab's newest key is of a time that has not come yet.</summary>
    public sealed record KeyFromTheFuture(DateTimeOffset Made, DateTimeOffset Now) : LoginWarning;
}
