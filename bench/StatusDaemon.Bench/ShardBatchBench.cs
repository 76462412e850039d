using StatusDaemon.Names;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;

namespace StatusDaemon.Bench;

/// <summary>The codec between gateways and shards, both ways, a thousand messages a batch.</summary>
internal static class ShardBatchBench
{
    private const int Items = 1_000;
    private const int Rounds = 200;

    public static async Task RunAsync()
    {
        var gateway = new GatewayId(1);
        var uids = new UidTable();
        Uid[] people = [.. Enumerable.Range(0, Items).Select(i => uids.Hold(BenchUids.Of(i)))];
        ClientTimestamp.TryParse("1627128694.693686"u8, quoted: true, out var timestamp);
        var publications = new ShardBatch(gateway, 1, 1, [.. people.Select((uid, i) => new RouterInput.Publish(new ConnectionId(gateway, i), uid, Status.Busy, timestamp))]);
        var record = new StatusRecord(
            Status.Busy, timestamp, new StatusVersion(7, 1, 1), new ChangeSource(SourceKind.Client, "alice@EXAMPLE.ORG", "gateway-1 10.20.30.40:50607", DateTimeOffset.UnixEpoch));
        var deliveries = new DeliveryBatch(1, 1, [.. people.Select((uid, i) => new Effect.Deliver(gateway, uid, record, new DeliveryStamp(1, i + 1)))]);
        byte[] up = publications.ToBytes(), down = deliveries.ToBytes();
        await RepeatAsync("publications written", () => publications.ToBytes());
        await RepeatAsync("publications read", () => ShardBatch.Parse(up, uids));
        await RepeatAsync("deliveries written", () => deliveries.ToBytes());
        await RepeatAsync("deliveries read", () => DeliveryBatch.Parse(down, gateway, uids));
    }

    private static Task RepeatAsync(string what, Func<object> work) => Measure.RateAsync(what, Items * Rounds, () =>
    {
        for (var round = 0; round < Rounds; round++)
        {
            work();
        }

        return Task.CompletedTask;
    });
}
