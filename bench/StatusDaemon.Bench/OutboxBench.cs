using BenchmarkDotNet.Attributes;
using StatusDaemon.Daemon;
using StatusDaemon.Names;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;

namespace StatusDaemon.Bench;

/// <summary>The outbox of a gateway: what a delivery costs on its way through, and when the gateway is slow.</summary>
public class OutboxBench
{
    private const int Publishers = 500;
    private const int Slow = Outbox.PatientDeliveries * 4;

    private static readonly Uid[] People = [.. Enumerable.Range(0, Publishers).Select(BenchUids.Of)];

    private readonly Outbox quick = new(1);
    private readonly Effect[] deliveries = [.. Enumerable.Range(0, Slow).Select(number => new Effect.Deliver(
        new GatewayId(1), People[number % Publishers],
        new StatusRecord(Status.Busy, default, new StatusVersion(7, 1, number), new ChangeSource(SourceKind.Client, "bench", "", DateTimeOffset.UnixEpoch)),
        new DeliveryStamp(1, number)))];

    /// <summary>A delivery that is taken with a whole batch.</summary>
    [Benchmark(OperationsPerInvoke = Outbox.BatchDeliveries)]
    public int AddAndTake()
    {
        foreach (var delivery in deliveries.AsSpan(0, Outbox.BatchDeliveries))
        {
            quick.Add(delivery);
        }

        return quick.Take()!.Deliveries.Count;
    }

    /// <summary>A delivery to a gateway that takes nothing: now and then older ones make room.</summary>
    [Benchmark(OperationsPerInvoke = Slow)]
    public int AddToSlow()
    {
        var slow = new Outbox(2);
        foreach (var delivery in deliveries)
        {
            slow.Add(delivery);
        }

        return slow.Count;
    }
}
