using System.Globalization;
using System.Text;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Statuses;
using static StatusDaemon.Privileges.SmallDirectories;

namespace StatusDaemon.Routing;

/// <summary>One router at a moment that the test moves, with people that the test names.</summary>
internal sealed class Shard
{
    public const ulong Incarnation = 7;
    public const long Epoch = 5;

    public static readonly GatewayId GatewayA = new(0xA);
    public static readonly GatewayId GatewayB = new(0xB);

    private static readonly string[] Names = ["alice", "bob", "carol", "remote"];
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private long revision;

    public Shard(RouterSettings? settings = null, DirectorySnapshot? directory = null)
    {
        Directory = directory ?? Everyone([]);
        Now = new Moment(Start, TimeSpan.FromHours(1));
        Router = new Router(settings ?? new RouterSettings(), Uids, Directory, Incarnation, Epoch, Now);
    }

    public UidTable Uids { get; } = new();

    public Router Router { get; }

    public DirectorySnapshot Directory { get; private set; }

    public Moment Now { get; set; }

    /// <summary>A shard that has read its store and knows two gateways.</summary>
    public static Shard Ready(RouterSettings? settings = null, DirectorySnapshot? directory = null, params (string Uid, StatusRecord Record)[] stored)
    {
        var shard = new Shard(settings, directory);
        shard.Apply(new RouterInput.AllRead([.. stored.Select(one => (UidOf(one.Uid), one.Record))]));
        shard.Apply(new RouterInput.Declare(GatewayA));
        shard.Apply(new RouterInput.Declare(GatewayB));
        return shard;
    }

    /// <summary>Everyone of alice, bob and carol, where the pairs say who is hidden from whom; "remote" is of another domain.</summary>
    public static DirectorySnapshot Everyone((string Publisher, string Watcher)[] hidden, params string[] except) => new(
        Names.Except(except).Select(name => new Subscriber
        {
            Uid = UidOf(name),
            DName = DNameOf($"{name}@TEST"),
            Domain = DomainOf(name == "remote" ? "elsewhere" : "home"),
            Rules = new BlackWhiteRules(hidden.Where(pair => pair.Publisher == name).Select(pair => SelectorOf(pair.Watcher)), []),
        }),
        new DirectoryPolicy { Home = DomainOf("home") });

    public static ConnectionId Connection(long number, GatewayId? gateway = null) => new(gateway ?? GatewayA, number);

    /// <summary>A record as the store or a gateway may have it.</summary>
    public static StatusRecord Record(Status status, long epoch, long seq, SourceKind kind = SourceKind.Client) =>
        new(status, Stamp(seq), new StatusVersion(Incarnation, epoch, seq), new ChangeSource(kind, "somebody", "", Start));

    public static ClientTimestamp Stamp(long number) =>
        ClientTimestamp.TryParse(Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)), quoted: true, out var stamp) ? stamp : throw new ArgumentException("Not a timestamp.");

    public List<Effect> Apply(RouterInput input)
    {
        var effects = new List<Effect>();
        Router.Apply(input, Now, effects);
        return effects;
    }

    public List<Effect> Open(string subscriber, long connection, GatewayId? gateway = null) =>
        Apply(new RouterInput.Open(Connection(connection, gateway), UidOf(subscriber), $"{subscriber}@TEST", "test"));

    public List<Effect> Close(long connection, GatewayId? gateway = null) => Apply(new RouterInput.Close(Connection(connection, gateway)));

    public List<Effect> Watch(string watcher, string publisher, long connection, uint request = 1, GatewayId? gateway = null) =>
        Apply(new RouterInput.Watch(Connection(connection, gateway), UidOf(watcher), UidOf(publisher), request));

    public List<Effect> Publish(string publisher, Status status, long connection = 1) =>
        Apply(new RouterInput.Publish(Connection(connection), UidOf(publisher), status, default));

    /// <summary>Another directory comes into force.</summary>
    public List<Effect> Follow(DirectorySnapshot next) => FollowDerived(new DirectorySnapshot(next.Subscribers, next.Policy) { Revision = ++revision });

    /// <summary>A directory that was derived from the one in force follows it.</summary>
    public List<Effect> FollowDerived(DirectorySnapshot next)
    {
        var change = DirectoryChange.Between(Directory, next);
        Directory = next;
        return Apply(new RouterInput.DirectoryChanged(change));
    }

    /// <summary>Lets time pass tick by tick; gateways that are named are heard before each.</summary>
    public List<Effect> After(TimeSpan time, params GatewayId[] heard)
    {
        var effects = new List<Effect>();
        do
        {
            var step = time < RouterSettings.TickInterval ? time : RouterSettings.TickInterval;
            time -= step;
            Now = Now.After(step);
            foreach (var gateway in heard)
            {
                effects.AddRange(Apply(new RouterInput.Renew(gateway)));
            }

            effects.AddRange(Apply(RouterInput.Tick.Now));
        }
        while (time > TimeSpan.Zero);
        return effects;
    }

    /// <summary>Lets time pass without a word to the router, as while its process is stopped; then the tick is the first thing that it is told.</summary>
    public List<Effect> Away(TimeSpan time)
    {
        Now = Now.After(time);
        return Apply(RouterInput.Tick.Now);
    }

    public Status StatusOf(string uid) => Router.RecordOf(UidOf(uid)).Shown;
}
