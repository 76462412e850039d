using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;

namespace StatusDaemon.Bench;

/// <summary>The core alone: publications to publishers with many watchers, and subscriptions.</summary>
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

        await Measure.RateAsync("subscriptions, 1,000 a publisher, 4 gateways", Publishers * 1_000, () =>
        {
            Watched(1_000, 4);
            return Task.CompletedTask;
        });
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
