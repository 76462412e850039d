using System.Diagnostics.CodeAnalysis;
using StatusDaemon.Settings;

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

    /// <summary>Reads the section.</summary>
    public static AuthOptions Read(SettingsSection section)
    {
        var defaults = new AuthOptions();
        return new AuthOptions
        {
            Mode = section.Choice("mode", defaults.Mode, ("kerberos", AuthMode.Kerberos), ("trusted-header", AuthMode.TrustedHeader)),
            ServiceNames = section.List<string>("servicename", "SERVICE@HOST, such as HTTP@status.example.org, one or a list", TryParseServiceName),
            Keytab = section.OptionalPath("keytab"),
            ReplayCache = section.OptionalPath("replay_cache"),
            Realms = section.List<string>("realms", "realms such as EXAMPLE.ORG, one or a list", TryParseRealm),
            CloseAtTicketEnd = section.Flag("close_at_ticket_end", defaults.CloseAtTicketEnd),
        };
    }

    /// <summary>Takes <c>HTTP/host</c> too, as Kerberos' own tools write it.</summary>
    private static bool TryParseServiceName(string text, [MaybeNullWhen(false)] out string name)
    {
        var at = text.IndexOfAny(['@', '/']);
        name = at < 0 ? null : $"{text[..at]}@{text[(at + 1)..]}";
        return at > 0 && at < text.Length - 1 && text.AsSpan(at + 1).IndexOfAny('@', '/') < 0 && !text.Any(c => char.IsWhiteSpace(c) || char.IsControl(c));
    }

    private static bool TryParseRealm(string text, [MaybeNullWhen(false)] out string realm)
    {
        realm = text;
        return text.Length > 0 && !text.Any(c => c is '@' or '/' || char.IsWhiteSpace(c) || char.IsControl(c));
    }
}
