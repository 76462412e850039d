using BenchmarkDotNet.Attributes;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;

namespace StatusDaemon.Bench;

/// <summary>The router's share of a publication; <see cref="RouterBench"/> has subscriptions too.</summary>
public class RouterPublishBench
{
    private static readonly ConnectionId From = new(new GatewayId(1), 1);

    private readonly List<Effect> effects = [];
    private Router? router;
    private int published;

    /// <summary>Gateways with watchers of each publisher: each is told once.</summary>
    [Params(1, 4)]
    public int Gateways { get; set; }

    /// <summary>Watchers of each publisher.</summary>
    [Params(1, 1000)]
    public int Watchers { get; set; }

    /// <summary>Lets all watch all.</summary>
    [GlobalSetup]
    public void Prepare() => router = RouterBench.Watched(Watchers, Gateways);

    /// <summary>A publication.</summary>
    [Benchmark]
    public int Publish()
    {
        effects.Clear();
        router!.Apply(new RouterInput.Publish(From, RouterBench.Publisher(++published), (Status)(1 + (published % 7)), default), RouterBench.Now, effects);
        return effects.Count;
    }
}
