using System.Globalization;
using StatusDaemon.Cluster;

namespace StatusDaemon.Bench;

/// <summary>The capacity model of docs/scale.md: what a cluster needs for so many subscribers, from constants that were measured.</summary>
internal static class CapacityModel
{
    // Bytes. RouterMemoryBench; the texts count twice after a failover.
    private const double Register = 240;
    private const double Uid = 127;
    private const double Texts = 137;
    private const double Watch = 14;

    // Bytes of a subscriber in a directory of a privilege database, in each member. RedisDirectoryBench.
    private const double DirectoryEntry = 1_380;

    // Bytes of a connection with twenty watches in a gateway, settled and right after they came. bench/load s1, s5.
    private const double Connection = 1_449;
    private const double ConnectionAtFirst = 5_594;

    // Bytes of a process that knows nobody.
    private const double Process = 100e6;

    // Seconds of processor time. bench/load s6 apart: of the daemon and of the gateway for a status that travels alone, and its delivery.
    private const double PublicationAtDaemon = 100e-6;
    private const double PublicationAtGateway = 130e-6;

    // A call at each end, with little or nothing in it. ShardCallsBench.
    private const double Call = 50e-6;

    // A delivery to a socket, many together and alone. bench/load s2, s3.
    private const double DeliveryTogether = 3e-6;
    private const double DeliveryAlone = 26e-6;

    // A login with its twenty watches: Kerberos, and what s5 takes.
    private const double Login = 900e-6;

    // A watch at a shard that begins again. RouterRebuildBench.
    private const double RebuiltWatch = 5.4e-6;

    // Subscribers of a directory that are read in a second. RedisDirectoryBench: 100,000 in 5 s.
    private const double DirectoryRead = 20_000;

    // Writes a second of one Redis. RedisStatusStoreBench, half of it.
    private const double RedisWrites = 20_000;

    // Bytes on the wire of what a loop is told, and of a frame with its headers. ScaleBench.
    private const double ToldBytes = 120;
    private const double FrameBytes = 190;

    // Round trip of an outbox's call: while one is under way, the next gathers.
    private const double RoundTrip = 1e-3;

    /// <summary>What docs/scale.md works out.</summary>
    public static IReadOnlyList<Plan> Plans { get; } =
    [
        new("1 million in one cluster", 1e6, Daemons: 3, Gateways: 8, Shards: 32),
        new("10 million in one cluster", 10e6, Daemons: 16, Gateways: 64, Shards: 256),
        new("100 million in one cluster", 100e6, Daemons: 160, Gateways: 640, Shards: 2048),
    ];

    /// <summary>Loops that are told of a change whose watchers are spread by lot.</summary>
    public static double Told(double loops, double watchers) => loops * (1 - Math.Pow(1 - (1 / loops), watchers));

    /// <summary>Works a plan out: each line is what it says, for the busy hour.</summary>
    public static IEnumerable<(string What, string Value)> Work(Plan plan)
    {
        var changes = plan.Subscribers * plan.ChangesAnHour / 3600;
        var watches = plan.Subscribers * plan.Watches;
        double loops = plan.Gateways * plan.Loops;
        var heartbeats = plan.Shards * loops / ClusterHosting.Heartbeat.TotalSeconds / plan.Daemons;
        var told = Told(loops, plan.Watches);
        yield return Line("changes, deliveries", $"{changes:N0}/s, {changes * plan.Watches:N0}/s; {told:F1} of {loops:N0} loops are told of each");

        // With one daemon less.
        var routing = ((plan.Subscribers * (Register + (2 * Texts))) + (watches * Watch)) / (plan.Daemons - 1);
        var directory = plan.Subscribers * (DirectoryEntry + Uid);
        var outboxes = loops * Math.Min(1 / RoundTrip, changes * told / loops / plan.Daemons);
        var daemon = (changes / plan.Daemons * PublicationAtDaemon) + ((outboxes + heartbeats) * Call);
        yield return Line("a daemon: memory", $"{(Process + routing + directory) / 1e9:F1} GB: {directory / 1e9:F1} the directory, {routing / 1e9:F1} its shards when another is lost");
        yield return Line("a daemon: processor, network", $"{daemon:F1} cores, {heartbeats * Call:F1} of them for heartbeats; {changes * told * ToldBytes * 8 / plan.Daemons / 1e6:N0} Mbit/s");

        var connections = plan.Subscribers / (plan.Gateways - 1);
        var deliveries = changes * plan.Watches / (plan.Gateways - 1);
        var taken = plan.Loops * plan.Daemons * Math.Min(1 / RoundTrip, changes * told / loops / plan.Daemons);
        yield return Line("a gateway: connections, memory", $"{connections:N0}, {(Process + (connections * Connection) + directory) / 1e9:F1} GB, {connections * (ConnectionAtFirst - Connection) / 1e9:F1} more right after all came");
        yield return Line("a gateway: processor, network", $"{(changes / plan.Gateways * PublicationAtGateway) + (deliveries * DeliveryTogether) + (taken * Call):F1} to {(changes / plan.Gateways * PublicationAtGateway) + (deliveries * DeliveryAlone) + (taken * Call):F1} cores; {deliveries * FrameBytes * 8 / 1e6:N0} Mbit/s to clients");
        yield return Line("a gateway is lost: all its clients log in", $"{connections * Login / plan.Gateways / (plan.Cores / 2.0):F0} s, half of the cores for it");
        yield return Line("a daemon is lost: the last shard is whole after", $"{watches / plan.Daemons * RebuiltWatch / (plan.Daemons - 1) / plan.Cores:F1} s, all cores for it");
        yield return Line("directory read at a start", $"{plan.Subscribers / DirectoryRead:N0} s");
        yield return Line("Redis for statuses", $"{changes:N0} writes/s: {Math.Ceiling(changes / RedisWrites):N0} primaries");
    }

    private static (string What, string Value) Line(string what, FormattableString value) => (what, value.ToString(CultureInfo.InvariantCulture));
}

/// <summary>A cluster that is planned.</summary>
/// <param name="Subscribers">All of them connected.</param>
/// <param name="Loops">Of each gateway: half of its cores.</param>
/// <param name="Cores">Of each machine.</param>
/// <param name="Watches">Of each subscriber, and watchers of each.</param>
/// <param name="ChangesAnHour">Of each, in the busy hour.</param>
internal sealed record Plan(string Title, double Subscribers, int Daemons, int Gateways, int Shards, int Loops = 4, int Cores = 8, int Watches = 20, int ChangesAnHour = 30);
