using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Numerics;
using StatusDaemon.Settings;

namespace StatusDaemon.Cluster;

/// <summary>How the processes of one installation find each other.</summary>
internal enum ClusterKind
{
    /// <summary>On one machine, through <c>STATE.path</c>.</summary>
    Local,

    /// <summary>On several machines, through the Redis of section <c>REDIS</c>.</summary>
    Redis,
}

/// <summary>Section <c>CLUSTER</c> of the settings.</summary>
internal sealed class ClusterOptions
{
    /// <summary>Most router shards.</summary>
    public const int MaxShards = 1024;

    /// <summary>How the processes of one installation find each other.</summary>
    public ClusterKind Kind { get; init; } = ClusterKind.Local;

    /// <summary>Name of the installation: processes with another one are strangers.</summary>
    public string Id { get; init; } = "statusd";

    /// <summary>Router shards: a power of two, 1 to <see cref="MaxShards"/>; the same in every process, and fixed for the life of a deployment.</summary>
    public int Shards { get; init; } = 32;

    /// <summary>Address that a daemon listens on for the other processes.</summary>
    public IPAddress Host { get; init; } = IPAddress.Loopback;

    /// <summary>Address that the others are told; null means <see cref="Host"/>.</summary>
    public IPAddress? Advertise { get; init; }

    /// <summary>TCP port for other daemons; 0 takes a free one.</summary>
    public int SiloPort { get; init; }

    /// <summary>TCP port for gateways and the other modules; 0 takes a free one.</summary>
    public int GatewayPort { get; init; }

    /// <summary>Absolute path of this member's certificate with its key (PEM); null makes one under <c>STATE.path</c>.</summary>
    public string? Certificate { get; init; }

    /// <summary>Absolute path of the key (PEM); null means that it is in the certificate's file.</summary>
    public string? CertificateKey { get; init; }

    /// <summary>Absolute path of the authority that signs the members' certificates (PEM); null where they make their own.</summary>
    public string? Authority { get; init; }

    /// <summary>Reads the section.</summary>
    public static ClusterOptions Read(SettingsSection section)
    {
        const string Pem = "the path of a PEM file";
        var defaults = new ClusterOptions();
        var options = new ClusterOptions
        {
            Kind = section.Choice("kind", defaults.Kind, ("local", ClusterKind.Local), ("redis", ClusterKind.Redis)),
            Id = section.Value<string>("id", defaults.Id, defaults.Id, "1 to 64 letters, digits, '-' and '_'", TryParseId),
            Shards = section.Value(
                "shards", defaults.Shards, "32", $"a power of two, 1 to {MaxShards}", (string text, out int shards) =>
                    int.TryParse(text, out shards) && shards is >= 1 and <= MaxShards && BitOperations.IsPow2(shards)),
            Host = section.Address("host", defaults.Host),
            Advertise = section.Optional<IPAddress>("advertise", "an IP address that the other machines reach", TryParseAdvertised),
            SiloPort = section.Port("silo_port", defaults.SiloPort),
            GatewayPort = section.Port("gateway_port", defaults.GatewayPort),
            Certificate = section.ExistingFile("tls.certificate", Pem),
            CertificateKey = section.ExistingFile("tls.key", Pem),
            Authority = section.ExistingFile("tls.authority", Pem),
        };
        options.Check(section);
        return options;
    }

    private void Check(SettingsSection section)
    {
        if (Advertise is null && (Host.Equals(IPAddress.Any) || Host.Equals(IPAddress.IPv6Any)))
        {
            section.Refuse("host", $"{Host} is every address of this machine: set advertise to the one that the others reach");
        }

        if (Certificate is null != Authority is null || (Certificate is null && CertificateKey is not null))
        {
            section.Refuse(CertificateKey is not null && Certificate is null ? "tls.key" : Certificate is null ? "tls.authority" : "tls.certificate", "tls.certificate and tls.authority belong together");
        }
    }

    private static bool TryParseId(string text, [MaybeNullWhen(false)] out string id)
    {
        id = text;
        return text.Length is > 0 and <= 64 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
    }

    private static bool TryParseAdvertised(string text, [MaybeNullWhen(false)] out IPAddress address) =>
        IPAddress.TryParse(text, out address) && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any);
}
