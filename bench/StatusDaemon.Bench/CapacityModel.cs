using System.Globalization;
using System.Numerics;
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

    // A call at each end, with little or nothing in it, where few others are: the idle processes of bench/load s6. ShardCallsBench makes one in 13 to 18 µs, as fast as they go.
    private const double Call = 50e-6;

    // A delivery to a socket, many together and alone. bench/load s2, s3.
    private const double DeliveryTogether = 3e-6;
    private const double DeliveryAlone = 26e-6;

    // A login with its twenty watches: Kerberos, and what s5 takes.
    private const double Login = 900e-6;

    // A watch at a shard that begins again. RouterRebuildBench.
    private const double RebuiltWatch = 4.4e-6;

    // Subscribers of a directory that are read in a second. RedisDirectoryBench: 100,000 in 5 s.
    private const double DirectoryRead = 20_000;

    // Seconds of a daemon's processor time, to write a status to Redis, and to hear that another daemon has. RedisStatusStoreBench.
    private const double RedisWrite = 11e-6;
    private const double RedisRing = 1.3e-6;

    // Writes a second of one Redis. RedisStatusStoreBench, less than half of it.
    private const double RedisWrites = 40_000;

    // Bytes on the wire of what a loop is told, and of a frame with its headers. ScaleBench.
    private const double ToldBytes = 120;
    private const double FrameBytes = 190;

    // Round trip of an outbox's call: while one is under way, the next gathers.
    private const double RoundTrip = 1e-3;

    /// <summary>What docs/scale.md works out.</summary>
    public static IReadOnlyList<Plan> Plans { get; } =
    [
        new("1 million in one cluster", 1e6, Daemons: 4, Gateways: 8, Shards: 128),
        new("2 million in one cluster", 2e6, Daemons: 8, Gateways: 16, Shards: 256),
        new("10 million in one cluster", 10e6, Daemons: 16, Gateways: 64, Shards: 512),
        new("100 million in one cluster", 100e6, Daemons: 160, Gateways: 640, Shards: ClusterOptions.MaxShards),
    ];

    /// <summary>Loops that are told of a change whose watchers are spread by lot.</summary>
    public static double Told(double loops, double watchers) => loops * (1 - Math.Pow(1 - (1 / loops), watchers));

    /// <summary>Works a plan out: each line is what it says, for the busy hour.</summary>
    public static IEnumerable<(string What, string Value)> Work(Plan plan)
    {
        var changes = plan.Subscribers * plan.ChangesAnHour / 3600;
        var watches = plan.Subscribers * plan.Watches;
        double loops = plan.Gateways * plan.Loops;
        var heartbeats = plan.Shards * loops / ClusterHosting.Heartbeat.TotalSeconds;
        var told = Told(loops, plan.Watches);
        yield return Line("changes, deliveries", $"{changes:N0}/s, {changes * plan.Watches:N0}/s; {told:F1} of {loops:N0} loops are told of each");

        // With one daemon less.
        var routing = ((plan.Subscribers * (Register + (2 * Texts))) + (watches * Watch)) / (plan.Daemons - 1);
        var directory = plan.Subscribers * (DirectoryEntry + Uid);
        var outboxes = loops * Math.Min(1 / RoundTrip, changes * told / loops / plan.Daemons);
        var redis = (changes / plan.Daemons * RedisWrite) + (changes * RedisRing);
        var daemon = (changes / plan.Daemons * PublicationAtDaemon) + ((outboxes + (heartbeats / plan.Daemons)) * Call) + redis;
        yield return Line("a daemon: memory", $"{(Process + routing + directory) / 1e9:F1} GB: {directory / 1e9:F1} the directory, {routing / 1e9:F1} its shards when another is lost");
        yield return Line("a daemon: processor, network", $"{daemon:F1} cores, {heartbeats / plan.Daemons * Call:F1} of them for heartbeats, {redis:F1} for Redis; {changes * told * ToldBytes * 8 / plan.Daemons / 1e6:N0} Mbit/s");

        var connections = plan.Subscribers / (plan.Gateways - 1);
        var deliveries = changes * plan.Watches / (plan.Gateways - 1);
        var taken = plan.Loops * plan.Daemons * Math.Min(1 / RoundTrip, changes * told / loops / plan.Daemons);
        yield return Line("a gateway: connections, memory", $"{connections:N0}, {(Process + (connections * Connection) + directory) / 1e9:F1} GB, {connections * (ConnectionAtFirst - Connection) / 1e9:F1} more right after all came");
        var gateway = (changes / plan.Gateways * PublicationAtGateway) + ((taken + (heartbeats / plan.Gateways)) * Call);
        yield return Line("a gateway: processor, network", $"{gateway + (deliveries * DeliveryTogether):F1} to {gateway + (deliveries * DeliveryAlone):F1} cores, {heartbeats / plan.Gateways * Call:F1} of them for heartbeats; {deliveries * FrameBytes * 8 / 1e6:N0} Mbit/s to clients");
        yield return Line("a gateway is lost: all its clients log in", $"{connections * Login / plan.Gateways / (plan.Cores / 2.0):F0} s, half of the cores for it");
        var moving = Math.Ceiling(Math.Ceiling(plan.Shards / (double)plan.Daemons / (plan.Daemons - 1)) / plan.Cores); // one after the other on a core
        yield return Line("a daemon is lost: the last shard is whole after", $"{watches / plan.Shards * RebuiltWatch * moving:F1} s: {watches / plan.Shards:N0} watches of a shard, which has one thread at a time");
        yield return Line("directory read at a start", $"{plan.Subscribers / DirectoryRead:N0} s");
        yield return Line("Redis for statuses", $"{changes:N0} writes/s: {Math.Ceiling(changes / RedisWrites):N0} primaries");
        yield return Line("machines", $"{plan.Daemons + plan.Gateways:N0} of {plan.Cores} cores, and those of Redis");
    }

    private static (string What, string Value) Line(string what, FormattableString value) => (what, value.ToString(CultureInfo.InvariantCulture));
}

/// <summary>A cluster that is planned.</summary>
/// <param name="Subscribers">All of them connected.</param>
/// <param name="Loops">Of each gateway: half of its cores.</param>
/// <param name="Cores">Of each machine.</param>
/// <param name="Watches">Of each subscriber, and watchers of each.</param>
/// <param name="ChangesAnHour">Of each, in the busy hour.</param>
internal sealed record Plan(string Title, double Subscribers, int Daemons, int Gateways, int Shards, int Loops = 4, int Cores = 8, int Watches = 20, int ChangesAnHour = 30)
{
    // As in the plan for a million.
    private const int PeopleOfDaemon = 250_000;
    private const int PeopleOfGateway = 125_000;
    private const int PeopleOfShard = 7_900;

    /// <summary>A plan from up to five figures: subscribers, daemons, gateways, watches of each, changes of each in the busy hour. What is not given is as for a million of docs/scale.md.</summary>
    public static Plan Of(int[] figures)
    {
        int? At(int place) => place < figures.Length ? figures[place] : null;
        var plan = new Plan(
            string.Create(CultureInfo.InvariantCulture, $"{figures[0]:N0} in one cluster"),
            figures[0],
            At(1) ?? Math.Max(2, figures[0] / PeopleOfDaemon),
            At(2) ?? Math.Max(2, figures[0] / PeopleOfGateway),
            (int)Math.Clamp(BitOperations.RoundUpToPowerOf2((uint)(figures[0] / PeopleOfShard)), 32, ClusterOptions.MaxShards));
        if (plan.Daemons < 2 || plan.Gateways < 2)
        {
            throw new ViolationException("A plan is for the loss of one daemon and of one gateway: give it two of each at least.");
        }

        return plan with { Watches = At(3) ?? plan.Watches, ChangesAnHour = At(4) ?? plan.ChangesAnHour };
    }
}
