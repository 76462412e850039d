using System.Globalization;
using StatusDaemon.Cluster;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;

namespace StatusDaemon.Bench;

/// <summary>Subscribers who watch twenty others each, by lot and the same in each run, over four gateways; and the routers of all shards that know them, in one process.</summary>
/// <remarks>
/// The directory is a real one: one in ten has a black list that hides from one of its watchers, one in fifty a white list that hides from nearly everybody. It, and who
/// watches whom, are there before anything is measured.
/// </remarks>
internal sealed class RouterCrowd
{
    public const int WatchesEach = 20;

    private static readonly ClientTimestamp Claimed = ClientTimestamp.TryParse("1627128694.693686"u8, quoted: true, out var claimed) ? claimed : default;
    private static readonly Moment Now = new(DateTimeOffset.UnixEpoch, TimeSpan.Zero);

    private readonly List<Effect> effects = [];
    private readonly DirectorySnapshot directory;
    private readonly int[] watched; // of each watcher in turn
    private readonly byte[] shardOf; // of each subscriber

    /// <param name="gathered">Whether all that somebody watches is in one shard, so that his connection is known in two at most.</param>
    /// <param name="gateways">Loops of gateways over which the connections are spread.</param>
    public RouterCrowd(int people, int shards, bool gathered = false, int gateways = 4)
    {
        (People, Shards, Gateways) = (people, shards, gateways);
        shardOf = [.. Enumerable.Range(0, people).Select(number => (byte)BenchUids.Of(number).ShardOf(shards))];
        watched = Draw(gathered);
        directory = new DirectorySnapshot(Enumerable.Range(0, people).Select(SubscriberOf), new DirectoryPolicy());
    }

    public int People { get; }

    public int Shards { get; }

    public int Gateways { get; }

    public int Watches => watched.Length;

    /// <summary>The process' table of UIDs, and what the others are in it.</summary>
    public UidTable Uids { get; private set; } = new();

    public Uid[] Names { get; private set; } = [];

    public Router[] Routers { get; private set; } = [];

    /// <summary>Who everybody is and where he connects from, as it comes with a connection: an own text each.</summary>
    public (string Actor, string Through)[] Origins { get; private set; } = [];

    /// <summary>Takes everybody's UID into the table.</summary>
    public void Name() => Names = [.. Enumerable.Range(0, People).Select(number => Uids.Hold(BenchUids.Of(number)))];

    public void Introduce() => Origins = [.. Enumerable.Range(0, People).Select(OriginOf)];

    /// <summary>Routers that nobody has told anything.</summary>
    public void Activate() => Routers = [.. Enumerable.Range(0, Shards).Select(_ => Ready())];

    public void Connect()
    {
        for (var number = 0; number < People; number++)
        {
            Apply(number, new RouterInput.Open(Connection(number), Names[number], Origins[number].Actor, Origins[number].Through));
        }
    }

    /// <summary>Gives everybody a status, half of them with a timestamp, and half of them a second one, so that the feed has places that are out of use.</summary>
    public void Publish()
    {
        int[] order = [.. Enumerable.Range(0, People)];
        new Random(2).Shuffle(order);
        foreach (var number in order.Concat(order.Where(number => number % 4 < 2)))
        {
            Apply(number, new RouterInput.Publish(Connection(number), Names[number], Status.Busy, TimestampOf(number)));
        }
    }

    /// <summary>Lets one publish.</summary>
    /// <param name="told">What follows.</param>
    public void Publish(int number, List<Effect> told) =>
        Routers[shardOf[number]].Apply(new RouterInput.Publish(Connection(number), Names[number], Status.Absent, TimestampOf(number)), Now, told);

    public void Watch()
    {
        for (var watch = 0; watch < Watches; watch++)
        {
            var (watcher, publisher) = (watch / WatchesEach, watched[watch]);
            Apply(publisher, new RouterInput.Watch(Connection(watcher), Names[watcher], Names[publisher], (uint)watch));
        }
    }

    /// <summary>What the store has of a shard: UIDs and texts that nobody else has.</summary>
    public List<(Uid, StatusRecord)> StoredOf(int shard)
    {
        var records = new List<(Uid, StatusRecord)>();
        foreach (var number in Of(shard))
        {
            var (actor, through) = OriginOf(number);
            var source = new ChangeSource(SourceKind.Client, actor, through, Now.Utc);
            records.Add((BenchUids.Of(number), new StatusRecord(Status.Busy, TimestampOf(number), new StatusVersion(1, 1, 1 + number), source)));
        }

        return records;
    }

    /// <summary>What the gateways declare to a shard: the bytes of each batch.</summary>
    public List<byte[]> DeclaredTo(int shard)
    {
        var inputs = new List<RouterInput>[Gateways];
        for (var gateway = 0; gateway < Gateways; gateway++)
        {
            inputs[gateway] = [new RouterInput.Declare(GatewayOf(gateway))];
        }

        foreach (var number in Of(shard))
        {
            var (actor, through) = OriginOf(number);
            inputs[number % Gateways].Add(new RouterInput.Open(Connection(number), Names[number], actor, through));
        }

        for (var watch = 0; watch < Watches; watch++)
        {
            if (shardOf[watched[watch]] == shard)
            {
                var watcher = watch / WatchesEach;
                inputs[watcher % Gateways].Add(new RouterInput.Watch(Connection(watcher), Names[watcher], Names[watched[watch]], (uint)watch));
            }
        }

        return [.. inputs.SelectMany((all, gateway) => all.Chunk(ShardLink.BatchInputs).Select(some => new ShardBatch(GatewayOf(gateway), 2, 1, some).ToBytes()))];
    }

    /// <summary>What a new activation does of a shard: takes what the store has, then what the gateways declare, from its bytes.</summary>
    public Router Rebuild(List<(Uid, StatusRecord)> stored, List<byte[]> declared)
    {
        var router = new Router(new RouterSettings(), Uids, directory, incarnation: 1, epoch: 2, Now);
        effects.Clear();
        router.Apply(new RouterInput.AllRead(stored), Now, effects);
        foreach (var bytes in declared)
        {
            effects.Clear();
            foreach (var input in ShardBatch.Parse(bytes, Uids).Inputs)
            {
                router.Apply(input, Now, effects);
            }
        }

        return router;
    }

    /// <summary>Forgets all routers and the table, as a process does that ends; <see cref="Names"/> and all that was drawn stay.</summary>
    public void End()
    {
        Routers = new Router[Shards];
        Uids = new UidTable();
    }

    private static (string Actor, string Through) OriginOf(int number) => (
        string.Create(CultureInfo.InvariantCulture, $"person{number}@EXAMPLE.ORG"),
        string.Create(CultureInfo.InvariantCulture, $"ws 10.{number >> 16}.{(number >> 8) & 255}.{number & 255}:{40_000 + (number % 20_000)}"));

    private static ClientTimestamp TimestampOf(int number) => number % 2 == 0 ? Claimed : default;

    private ConnectionId Connection(int number) => new(GatewayOf(number), 1 + (number / Gateways));

    private GatewayId GatewayOf(int number) => new(1 + (ulong)(number % Gateways));

    private int[] Draw(bool gathered)
    {
        var random = new Random(1);
        int[][] byShard = [.. Enumerable.Range(0, Shards).Select(shard => Of(shard).ToArray())];
        var drawn = new int[People * WatchesEach];
        for (var watcher = 0; watcher < People; watcher++)
        {
            var from = byShard[random.Next(Shards)];
            for (var i = 0; i < WatchesEach; i++)
            {
                drawn[(watcher * WatchesEach) + i] = gathered ? from[random.Next(from.Length)] : random.Next(People);
            }
        }

        return drawn;
    }

    private IEnumerable<int> Of(int shard) => Enumerable.Range(0, People).Where(number => shardOf[number] == shard);

    private Subscriber SubscriberOf(int number)
    {
        // It is by lot whether the hidden one watches; what counts is that each watch of him is judged by the list.
        var hidden = new Selector.One(BenchUids.Of((int)(number * 7919L % People)));
        return new Subscriber
        {
            Uid = BenchUids.Of(number),
            DName = DName.TryParse(OriginOf(number).Actor, out var dname) ? dname : default,
            Rules = number % 50 == 1 ? new BlackWhiteRules([], [hidden]) : number % 10 == 0 ? new BlackWhiteRules([hidden], []) : BlackWhiteRules.None,
        };
    }

    private Router Ready()
    {
        var router = new Router(new RouterSettings(), Uids, directory, incarnation: 1, epoch: 1, Now);
        router.Apply(new RouterInput.AllRead([]), Now, effects);
        for (var gateway = 0; gateway < Gateways; gateway++)
        {
            router.Apply(new RouterInput.Declare(GatewayOf(gateway)), Now, effects);
        }

        return router;
    }

    private void Apply(int owner, RouterInput input)
    {
        effects.Clear();
        Routers[shardOf[owner]].Apply(input, Now, effects);
    }
}
