using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using StatusDaemon.Settings;

namespace StatusDaemon.Redis;

/// <summary>How to reach a Redis: sections <c>REDIS</c> and <c>PRIVILEGE_REDIS</c>.</summary>
/// <remarks>
/// One way of four: <see cref="Host"/> and <see cref="Port"/>; <see cref="Unix"/>; <see cref="Endpoints"/> (a cluster, or a primary with
/// its replicas); <see cref="SentinelEndpoints"/>, who know the primary of <see cref="SentinelService"/>.
/// </remarks>
internal sealed class RedisOptions
{
    /// <summary>Name or address of the server.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>TCP port of the server; 1 to 65535.</summary>
    public int Port { get; init; } = 6379;

    /// <summary>Number of the database; 0 to 1,000,000.</summary>
    public int Database { get; init; }

    /// <summary>Name for AUTH; null is Redis' default user.</summary>
    public string? User { get; init; }

    /// <summary>Password for AUTH; null logs in nowhere.</summary>
    public Secret? Password { get; init; }

    /// <summary>Whether to speak TLS.</summary>
    public bool Tls { get; init; }

    /// <summary>Absolute path of a PEM file with the authority of the server's certificate; null means the system's authorities.</summary>
    public string? TlsAuthority { get; init; }

    /// <summary>Absolute path of a PEM file with the certificate to show the server, which asks for one unless <c>tls-auth-clients</c> is off there; null shows none.</summary>
    public string? TlsCertificate { get; init; }

    /// <summary>Absolute path of a PEM file with the key of <see cref="TlsCertificate"/>; null means that it is in that file.</summary>
    public string? TlsKey { get; init; }

    /// <summary>Absolute path of a Unix socket; null means TCP.</summary>
    public string? Unix { get; init; }

    /// <summary>Servers of a cluster, or a primary and its replicas; empty means one server.</summary>
    public IReadOnlyList<DnsEndPoint> Endpoints { get; init; } = [];

    /// <summary>Sentinels; empty means none.</summary>
    public IReadOnlyList<DnsEndPoint> SentinelEndpoints { get; init; } = [];

    /// <summary>The name under which the sentinels know the primary; null without sentinels.</summary>
    public string? SentinelService { get; init; }

    /// <summary>Where it is, for people: never with a password.</summary>
    public string Address
    {
        get
        {
            var place = Unix
                ?? (Endpoints.Count > 0 ? Join(Endpoints) : SentinelEndpoints.Count > 0 ? $"{SentinelService} of the sentinels {Join(SentinelEndpoints)}" : $"{Host}:{Port}");
            return Database == 0 ? place : $"{place}, database {Database}";

            static string Join(IEnumerable<DnsEndPoint> endpoints) => string.Join(", ", endpoints.Select(endpoint => $"{endpoint.Host}:{endpoint.Port}"));
        }
    }

    /// <summary>Whether it is on this machine, as far as its addresses say.</summary>
    public bool IsHere => RedisConfiguration.EndpointsOf(this).All(static endpoint => endpoint switch
    {
        DnsEndPoint { Host: var host } => host.Equals("localhost", StringComparison.OrdinalIgnoreCase),
        IPEndPoint { Address: var address } => IPAddress.IsLoopback(address),
        _ => true, // a Unix socket
    });

    /// <summary>Reads what both sections have in common.</summary>
    public static RedisOptions Read(SettingsSection section)
    {
        const string Servers = "a list of HOST:PORT";
        var defaults = new RedisOptions();
        var options = new RedisOptions
        {
            Host = section.Value<string>("host", defaults.Host, defaults.Host, "a name or an IP address", TryParseHost),
            Port = section.Port("port", defaults.Port, min: 1),
            Database = section.Number("db", defaults.Database, 0, 1_000_000),
            User = section.Text("user", "a name"),
            Password = section.Secret("password"),
            Tls = section.Flag("tls", defaults.Tls),
            TlsAuthority = section.ExistingFile("tls_authority", "the path of a PEM file"),
            TlsCertificate = section.ExistingFile("tls_certificate", "the path of a PEM file"),
            TlsKey = section.ExistingFile("tls_key", "the path of a PEM file"),
            Unix = section.OptionalPath("unix"),
            Endpoints = section.List<DnsEndPoint>("endpoints", Servers, TryParseEndpoint),
            SentinelEndpoints = section.List<DnsEndPoint>("sentinel.endpoints", Servers, TryParseEndpoint),
            SentinelService = section.Text("sentinel.service", "the primary's name, such as mymaster"),
        };
        options.Check(section);
        return options;
    }

    private void Check(SettingsSection section)
    {
        string[] ways =
        [
            .. Unix is not null ? ["unix"] : Array.Empty<string>(),
            .. Endpoints.Count > 0 ? ["endpoints"] : Array.Empty<string>(),
            .. SentinelEndpoints.Count > 0 ? ["sentinel.endpoints"] : Array.Empty<string>(),
        ];
        if (ways.Length > 1)
        {
            section.Refuse(ways[1], $"excludes {ways[0]}: there is one way to a server");
        }

        if (SentinelEndpoints.Count > 0 != SentinelService is not null)
        {
            section.Refuse(SentinelService is null ? "sentinel.endpoints" : "sentinel.service", "sentinel.endpoints and sentinel.service need each other");
        }

        if (User is not null && Password is null)
        {
            section.Refuse("user", "needs a password");
        }

        if (Tls && Unix is not null)
        {
            section.Refuse("tls", "a Unix socket has none");
        }

        foreach (var (key, value) in (ReadOnlySpan<(string, string?)>)[("tls_authority", TlsAuthority), ("tls_certificate", TlsCertificate), ("tls_key", TlsKey)])
        {
            if (value is not null && !Tls)
            {
                section.Refuse(key, "is of no use without tls: true");
            }
        }

        if (TlsKey is not null && TlsCertificate is null)
        {
            section.Refuse("tls_key", "needs tls_certificate");
        }
    }

    private static bool TryParseHost(string text, [MaybeNullWhen(false)] out string host)
    {
        host = text;
        return Uri.CheckHostName(text) != UriHostNameType.Unknown;
    }

    private static bool TryParseEndpoint(string text, [MaybeNullWhen(false)] out DnsEndPoint endpoint)
    {
        endpoint = null;
        var colon = text.LastIndexOf(':');
        var host = colon < 0 ? "" : text[..colon];
        if (Uri.CheckHostName(host) == UriHostNameType.Unknown
            || (host.Contains(':', StringComparison.Ordinal) && !host.StartsWith('['))
            || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            || port == 0)
        {
            return false;
        }

        endpoint = new DnsEndPoint(host.Trim('[', ']'), port);
        return true;
    }
}
