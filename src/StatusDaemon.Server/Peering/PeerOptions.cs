using System.Diagnostics.CodeAnalysis;
using StatusDaemon.Names;
using StatusDaemon.Settings;

namespace StatusDaemon.Peering;

/// <summary>Another installation that this one synchronises with: an entry of <c>SYNC.peers</c>.</summary>
internal sealed class PeerOptions
{
    /// <summary>What in <c>SYNC.peers</c> may be written, in words.</summary>
    public const string Allowed = "maps with name, domains, url, and principal or certificate";

    /// <summary>Its <c>SYNC.name</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The domains that it is the home of: what it says of others is refused.</summary>
    public required IReadOnlyList<DomainName> Domains { get; init; }

    /// <summary>Where its receiver is; null where only the other side dials.</summary>
    public Uri? Url { get; init; }

    /// <summary>The Kerberos principal that it shows; null where its certificate says who it is.</summary>
    public DName? Principal { get; init; }

    /// <summary>Absolute path of the certificate that it shows (PEM), or of its authority; null where Kerberos says who it is.</summary>
    public string? Certificate { get; init; }

    /// <summary>Reads one entry.</summary>
    public static PeerOptions Read(SettingsSection entry)
    {
        var options = new PeerOptions
        {
            Name = SyncOptions.ReadName(entry) ?? "",
            Domains = entry.List<DomainName>("domains", "domains such as beta.example.org, one or a list", DomainName.TryParse),
            Url = entry.Optional<Uri>("url", "ws://HOST:PORT/… or wss://HOST:PORT/…, without a user", TryParseUrl),
            Principal = entry.Value<DName?>("principal", null, "", "a principal such as sync/beta@EXAMPLE.ORG", TryParsePrincipal),
            Certificate = entry.ExistingFile("certificate", "the path of a PEM file"),
        };
        if (!entry.IsSet("name"))
        {
            entry.Refuse("name", "is missing");
        }

        if (!entry.IsSet("domains"))
        {
            entry.Refuse("domains", "is missing: name the domains whose statuses this peer may tell");
        }

        if (!entry.IsSet("principal") && !entry.IsSet("certificate"))
        {
            entry.Refuse("principal", "is missing, and certificate too: one of them must say who the peer is");
        }

        if (options is { Certificate: not null, Url.Scheme: "ws" })
        {
            entry.Refuse("certificate", "is shown over wss:// only");
        }

        return options;
    }

    private static bool TryParsePrincipal(string text, out DName? principal)
    {
        var good = DName.TryParse(text, out var name);
        principal = good ? name : null;
        return good;
    }

    private static bool TryParseUrl(string text, [MaybeNullWhen(false)] out Uri url) =>
        Uri.TryCreate(text, UriKind.Absolute, out url) && url is { Scheme: "ws" or "wss", UserInfo: "", Fragment: "", Host.Length: > 0 };
}
