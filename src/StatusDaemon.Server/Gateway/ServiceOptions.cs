using System.Diagnostics.CodeAnalysis;
using System.Net;
using StatusDaemon.Protocol;
using StatusDaemon.Settings;
using StatusDaemon.Statuses;

namespace StatusDaemon.Gateway;

/// <summary>Section <c>SERVICE</c> of the settings: what clients connect to, and what they may ask of it.</summary>
internal sealed class ServiceOptions
{
    /// <summary>Address to listen on.</summary>
    public IPAddress Host { get; init; } = IPAddress.Loopback;

    /// <summary>TCP port to listen on; 0 takes a free one.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>The server's certificate; null speaks <c>ws://</c>.</summary>
    public TlsOptions? Tls { get; init; }

    /// <summary>Origins of web pages that may connect, in lower case and without a default port; empty means the server's own.</summary>
    public IReadOnlyList<string> Origins { get; init; } = [];

    /// <summary>How long a subscriber may be without a connection before its status becomes <see cref="OfflineStatus"/>; 0 s to 24 h, null is never.</summary>
    public TimeSpan? OfflineAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>What becomes of the status that a client set, when its connections are gone.</summary>
    public Status OfflineStatus { get; init; } = Status.NotRegistered;

    /// <summary>How long a shutdown waits for clients to take what they are owed and to leave; 0 s to 5 min.</summary>
    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How much one client may ask.</summary>
    public Limits Limits { get; init; } = new();

    /// <summary>Reads the section.</summary>
    public static ServiceOptions Read(SettingsSection section)
    {
        var defaults = new ServiceOptions();
        return new ServiceOptions
        {
            Host = section.Address("host", defaults.Host),
            Port = section.Port("port", defaults.Port),
            Tls = TlsOptions.Read(section),
            Origins = section.List<string>("origins", "origins such as https://phone.example.org, one or a list", TryParseOrigin),
            OfflineAfter = section.DurationOrNever("offline.after", defaults.OfflineAfter, TimeSpan.Zero, TimeSpan.FromHours(24)),
            OfflineStatus = section.Value(
                "offline.status", defaults.OfflineStatus, StatusNames.Of(defaults.OfflineStatus), string.Join(", ", StatusNames.All.ToArray()), (string text, out Status status) =>
                    StatusNames.TryParse(text, out status)),
            Drain = section.Duration("drain", defaults.Drain, TimeSpan.Zero, TimeSpan.FromMinutes(5)),
            Limits = ReadLimits(section, defaults.Limits),
        };
    }

    private static Limits ReadLimits(SettingsSection section, Limits defaults) => new()
    {
        MessageBytes = section.Bytes("limits.message", defaults.MessageBytes, 1 << 10, 16 << 20),
        SubscriptionsPerConnection = section.Number("limits.subscriptions", defaults.SubscriptionsPerConnection, 1, 1_000_000),
        ConnectionsPerSubscriber = section.Number("limits.connections", defaults.ConnectionsPerSubscriber, 1, 10_000),
        MessagesPerSecond = section.Number("limits.messages", defaults.MessagesPerSecond, 1, 1_000_000),
        Handshake = section.Duration("limits.handshake", defaults.Handshake, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5)),
        Stalled = section.Duration("limits.stalled", defaults.Stalled, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)),
    };

    // RFC 6454 §6.2: scheme, host, and the port unless it is the scheme's own. Browsers send a name with foreign letters in its ASCII form.
    private static bool TryParseOrigin(string text, [MaybeNullWhen(false)] out string origin)
    {
        var good = Uri.TryCreate(text, UriKind.Absolute, out var uri)
            && uri is { Scheme: "http" or "https", AbsolutePath: "/", Query: "", Fragment: "", UserInfo: "", Host.Length: > 0 }
            && !text.EndsWith('/');
        origin = good ? $"{uri!.Scheme}://{(uri.HostNameType == UriHostNameType.Dns ? uri.IdnHost : uri.Host)}{(uri.IsDefaultPort ? "" : $":{uri.Port}")}" : null;
        return good;
    }
}
