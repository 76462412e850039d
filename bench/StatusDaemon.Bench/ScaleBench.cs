using System.Diagnostics;
using System.Globalization;
using StatusDaemon.Daemon;
using StatusDaemon.Routing;

namespace StatusDaemon.Bench;

/// <summary>What a change costs where its watchers are spread over ever more gateways, measured; and from that and the other constants of <see cref="CapacityModel"/> the plans of docs/scale.md.</summary>
/// <remarks>
/// 100,000 subscribers with twenty watchers each, in 32 routers of one process and on one thread. Each publishes once: the router names the gateways, their outboxes take what they are told, and give it in batches
/// that are written as they travel, and read as a gateway reads them. The engine, sockets and TLS are not in it; <see cref="ShardCallsBench"/> and <c>bench/load s6</c> have them.
/// </remarks>
internal static class ScaleBench
{
    private const int People = 100_000;
    private const int Shards = 32;

    /// <param name="figures">A plan of one's own, as <see cref="Plan.Of"/> takes it; none measures, and works out those of the document.</param>
    public static Task RunAsync(int[] figures)
    {
        if (figures.Length == 0)
        {
            foreach (var gateways in (int[])[1, 4, 16, 64])
            {
                Spread(gateways);
            }
        }

        foreach (var plan in figures.Length > 0 ? [Plan.Of(figures)] : CapacityModel.Plans)
        {
            Console.WriteLine($"  -- {plan.Title}");
            foreach (var (what, value) in CapacityModel.Work(plan))
            {
                Measure.Print(what, value);
            }
        }

        return Task.CompletedTask;
    }

    private static void Spread(int gateways)
    {
        var crowd = new RouterCrowd(People, Shards, gateways: gateways);
        crowd.Name();
        crowd.Introduce();
        crowd.Activate();
        crowd.Connect();
        crowd.Watch();
        Route(crowd, new Dictionary<GatewayId, Outbox>()); // warms up
        var outboxes = new Dictionary<GatewayId, Outbox>();
        var start = Stopwatch.GetTimestamp();
        var told = Route(crowd, outboxes);
        var routed = Stopwatch.GetElapsedTime(start);

        start = Stopwatch.GetTimestamp();
        List<(GatewayId Gateway, byte[] Bytes)> batches = [];
        foreach (var (gateway, outbox) in outboxes)
        {
            while (outbox.Take() is { } batch)
            {
                batches.Add((gateway, batch.ToBytes()));
            }
        }

        var written = Stopwatch.GetElapsedTime(start);
        start = Stopwatch.GetTimestamp();
        var read = batches.Sum(batch => DeliveryBatch.Parse(batch.Bytes, batch.Gateway, crowd.Uids).Deliveries.Count);
        var parsed = Stopwatch.GetElapsedTime(start);
        Print(
            $"a change, watchers in {gateways} loops",
            $"{told / (double)People:F1} told ({CapacityModel.Told(gateways, RouterCrowd.WatchesEach):F1} by the model), {routed.TotalMicroseconds / People:F1} us to route; each {written.TotalMicroseconds / read:F2} us to write, {parsed.TotalMicroseconds / read:F2} to read, {batches.Sum(batch => (long)batch.Bytes.Length) / (double)read:F0} bytes");
    }

    /// <summary>Lets everybody publish once.</summary>
    /// <returns>How many gateways were told, in all.</returns>
    private static long Route(RouterCrowd crowd, Dictionary<GatewayId, Outbox> outboxes)
    {
        var told = 0L;
        List<Effect> effects = [];
        for (var number = 0; number < People; number++)
        {
            effects.Clear();
            crowd.Publish(number, effects);
            foreach (var effect in effects)
            {
                var deliver = (Effect.Deliver)effect;
                if (!outboxes.TryGetValue(deliver.Gateway, out var outbox))
                {
                    outboxes.Add(deliver.Gateway, outbox = new Outbox(1));
                }

                outbox.Add(deliver);
                told++;
            }
        }

        return told;
    }

    private static void Print(string what, FormattableString result) => Measure.Print(what, result.ToString(CultureInfo.InvariantCulture));
}
