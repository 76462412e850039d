using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace StatusDaemon.Chaos;

/// <summary>Hosts of their own in network namespaces on one bridge, any two of which can be cut off from each other.</summary>
/// <remarks>Needs root. Packets between two that are cut off vanish, as with a dead cable: nobody is told.</remarks>
internal sealed class Network : IDisposable
{
    private readonly string name = string.Create(CultureInfo.InvariantCulture, $"sd{Environment.ProcessId}");
    private readonly List<NetworkHost> hosts = [];

    /// <summary>Makes the bridge; this process is at its first address.</summary>
    public Network()
    {
        Run("ip", ["link", "add", name, "type", "bridge"]);
        Run("ip", ["addr", "add", $"{AddressOf(1)}/24", "dev", name]);
        Run("ip", ["link", "set", name, "up"]);
    }

    /// <summary>Adds a host.</summary>
    public NetworkHost Add(string hostName)
    {
        var host = new NetworkHost(hostName, $"{name}-{hostName}", AddressOf(hosts.Count + 2));
        hosts.Add(host);
        var (outside, inside) = ($"{name}o{hosts.Count}", $"{name}i{hosts.Count}");
        Run("ip", ["netns", "add", host.Namespace]);
        Run("ip", ["link", "add", outside, "type", "veth", "peer", "name", inside]);
        Run("ip", ["link", "set", inside, "netns", host.Namespace]);
        Run("ip", ["link", "set", outside, "master", name, "up"]);
        Inside(host, "ip", ["link", "set", "lo", "up"]);
        Inside(host, "ip", ["addr", "add", $"{host.Address}/24", "dev", inside]);
        Inside(host, "ip", ["link", "set", inside, "up"]);
        Inside(host, "nft", ["add table inet cut; add set inet cut peers { type ipv4_addr; }; "
            + "add chain inet cut from { type filter hook input priority 0; }; add rule inet cut from ip saddr @peers drop; "
            + "add chain inet cut to { type filter hook output priority 0; }; add rule inet cut to ip daddr @peers drop"]);
        return host;
    }

    /// <summary>Cuts two off from each other.</summary>
    public static void Cut(NetworkHost one, NetworkHost other)
    {
        Inside(one, "nft", [$"add element inet cut peers {{ {other.Address} }}"]);
        Inside(other, "nft", [$"add element inet cut peers {{ {one.Address} }}"]);
    }

    /// <summary>Puts all together again.</summary>
    public void Heal()
    {
        foreach (var host in hosts)
        {
            Inside(host, "nft", ["flush set inet cut peers"]);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var host in hosts)
        {
            Run("ip", ["netns", "del", host.Namespace]);
        }

        Run("ip", ["link", "del", name]);
    }

    private static IPAddress AddressOf(int host) => new([10, 213, (byte)(Environment.ProcessId & 0xFF), (byte)host]);

    private static void Inside(NetworkHost host, string program, IEnumerable<string> arguments) => Run("ip", ["netns", "exec", host.Namespace, program, .. arguments]);

    private static void Run(string program, IEnumerable<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {error}");
        }
    }
}

/// <summary>A host of the network.</summary>
internal sealed record NetworkHost(string Name, string Namespace, IPAddress Address);
