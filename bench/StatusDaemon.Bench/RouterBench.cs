using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;

namespace StatusDaemon.Bench;

/// <summary>The core alone: publications to publishers with many watchers, subscriptions, and their ends one by one where there are many.</summary>
internal static class RouterBench
{
    private const int Publishers = 100;
    private const int Publications = 100_000;
    private static readonly Uid[] People = [.. Enumerable.Range(0, 5_000).Select(BenchUids.Of)];

    /// <summary>When everything here happens.</summary>
    public static Moment Now { get; } = new(DateTimeOffset.UnixEpoch, TimeSpan.Zero);

    /// <summary>One of those who are watched.</summary>
    public static Uid Publisher(int number) => People[number % Publishers];

    public static async Task RunAsync()
    {
        foreach (var (watchers, gateways) in new[] { (1, 1), (100, 2), (1_000, 4), (5_000, 8) })
        {
            var router = Watched(watchers, gateways);
            var effects = new List<Effect>();
            await Measure.RateAsync($"publications, {watchers:N0} watchers on {gateways} gateways", Publications, () =>
            {
                for (var i = 0; i < Publications; i++)
                {
                    effects.Clear();
                    var publisher = People[i % Publishers];
                    router.Apply(new RouterInput.Publish(new ConnectionId(new GatewayId(1), 1), publisher, Status.Busy, default), Now, effects);
                }

                return Task.CompletedTask;
            });
        }

        await CrowdAsync(100_000);
        await Measure.RateAsync("subscriptions, 1,000 a publisher, 4 gateways", Publishers * 1_000, () =>
        {
            Watched(1_000, 4);
            return Task.CompletedTask;
        });
        await EndsAsync("watches of a publisher with 20,000 ended", 20_000, ofOneConnection: false);
        await EndsAsync("watches of a connection with 10,000 ended", 10_000, ofOneConnection: true);
    }

    /// <summary>Publications of many, in no order, so that caches help little: each has a connection, twenty watchers and rules in a real directory.</summary>
    private static Task CrowdAsync(int people)
    {
        var crowd = new RouterCrowd(people, shards: 32);
        crowd.Name();
        crowd.Introduce();
        crowd.Activate();
        crowd.Connect();
        crowd.Watch();
        return Measure.RateAsync($"publications of {people:N0}, {RouterCrowd.WatchesEach} watchers each", people * 3 / 2, () =>
        {
            crowd.Publish();
            return Task.CompletedTask;
        });
    }

    /// <summary>Ends watches in another order than they began in; their beginning is part of the time.</summary>
    private static Task EndsAsync(string what, int watches, bool ofOneConnection)
    {
        Uid[] people = [.. Enumerable.Range(0, watches).Select(BenchUids.Of)];
        int[] order = [.. Enumerable.Range(0, watches)];
        new Random(1).Shuffle(order);
        return Measure.RateAsync(what, watches, () =>
        {
            var router = Watched(0, 1);
            var effects = new List<Effect>();
            for (var i = 0; i < watches; i++)
            {
                effects.Clear();
                router.Apply(new RouterInput.Watch(ConnectionOf(i), people[ofOneConnection ? 0 : i], people[ofOneConnection ? i : 0], 1), Now, effects);
            }

            foreach (var i in order)
            {
                router.Apply(new RouterInput.Unwatch(ConnectionOf(i), people[ofOneConnection ? i : 0]), Now, effects);
            }

            return router.RegisterCount == 0 ? Task.CompletedTask : throw new InvalidOperationException("A watch is left.");
        });

        ConnectionId ConnectionOf(int number) => new(new GatewayId(1), ofOneConnection ? 1 : number);
    }

    /// <summary>A router whose publishers all have so many watchers, spread over so many gateways.</summary>
    public static Router Watched(int watchers, int gateways)
    {
        var policy = new DirectoryPolicy { AcceptsUnknown = true, AdmitsUnknown = true };
        var router = new Router(new RouterSettings(), new UidTable(), new DirectorySnapshot([], policy), incarnation: 1, epoch: 1, Now);
        var effects = new List<Effect>();
        router.Apply(new RouterInput.AllRead([]), Now, effects);
        for (var gateway = 1; gateway <= gateways; gateway++)
        {
            router.Apply(new RouterInput.Declare(new GatewayId((ulong)gateway)), Now, effects);
        }

        for (var watcher = 0; watcher < watchers; watcher++)
        {
            var connection = new ConnectionId(new GatewayId((ulong)(1 + (watcher % gateways))), watcher);
            for (var publisher = 0; publisher < Publishers; publisher++)
            {
                effects.Clear();
                router.Apply(new RouterInput.Watch(connection, People[watcher], People[publisher], 1), Now, effects);
            }
        }

        return router;
    }
}
