using System.Net;

namespace StatusDaemon.Cluster;

/// <summary>The place in the cluster of a process that owns router shards.</summary>
internal sealed record SiloSetup
{
    /// <summary>Name of the cluster; members of another name are not let in, whatever their certificate.</summary>
    public required string ClusterId { get; init; }

    /// <summary>Router shards of the deployment: a power of two, the same in every process.</summary>
    public required int Shards { get; init; }

    /// <summary>Where other silos reach this one. Port 0 takes a free one; see <see cref="MemberEndpoints"/>.</summary>
    public IPEndPoint Silo { get; init; } = new(IPAddress.Loopback, 0);

    /// <summary>The address of this machine that other members are told; null where it is that of <see cref="Silo"/>.</summary>
    public IPAddress? Advertised { get; init; }

    /// <summary>Where clients in other processes come in, at the address of <see cref="Silo"/>; null opens no such port.</summary>
    /// <remarks>A co-hosted client does without: its calls never leave the process. 0 takes a free port.</remarks>
    public int? GatewayPort { get; init; }

    /// <summary>What the settings say; whether to open a port for clients depends on who runs beside this process.</summary>
    public static SiloSetup From(ClusterOptions options) => new()
    {
        ClusterId = options.Id,
        Shards = options.Shards,
        Silo = new IPEndPoint(options.Host, options.SiloPort),
        Advertised = options.Advertise,
    };
}
