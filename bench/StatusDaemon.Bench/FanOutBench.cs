using StatusDaemon.Gateway;
using StatusDaemon.Names;
using StatusDaemon.Protocol;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;

namespace StatusDaemon.Bench;

/// <summary>The gateway's way from a delivery to every allowed client, without sockets: the sinks count.</summary>
internal static class FanOutBench
{
    private const int Publishers = 100;
    private const int Deliveries = 1_000;

    public static async Task RunAsync()
    {
        foreach (var watchers in new[] { 10, 1_000 })
        {
            var bench = new Watched(watchers);
            await Measure.RateAsync($"frames to {watchers:N0} clients that read", Deliveries * watchers, () => bench.DeliverAsync());
        }

        var slow = new Watched(1_000) { IsReading = false };
        await Measure.RateAsync("statuses owed to 1,000 clients that do not", Deliveries * 1_000, () => slow.DeliverAsync());
    }

    /// <summary>A gateway whose clients all watch all publishers.</summary>
    private sealed class Watched : IFrameSink
    {
        private readonly GatewayId gateway = new(1);
        private readonly FanOut fanOut;
        private readonly Uid[] people;
        private long batches;
        private long told;

        public Watched(int watchers)
        {
            var uids = new UidTable();
            people = [.. Enumerable.Range(0, Math.Max(watchers, Publishers)).Select(BenchUids.Of)];
            fanOut = new FanOut(gateway, uids, shards: 1, new Limits());
            for (var watcher = 0; watcher < watchers; watcher++)
            {
                var client = fanOut.Admit(people[watcher], new ClientOrigin("bench", ""), this);
                for (var publisher = 0; publisher < Publishers; publisher++)
                {
                    fanOut.Take(client, new ClientWish(null, default, [(people[publisher], true)]), isLocal: true);
                }
            }

            // The shard's side: it knows the gateway, takes its declaration, and shows everyone everything.
            var link = fanOut.Links[0];
            link.Next();
            link.Answered(new ShardAnswer(1, MustDeclare: true, 7, default, DateTimeOffset.UnixEpoch, [], []));
            do
            {
                var batch = link.Next();
                Take(new DeliveryBatch(1, ++batches, [.. batch.Inputs.OfType<RouterInput.Watch>().Select(watch =>
                    new Effect.Tell(watch.Connection, watch.Publisher, watch.Request, true, Record(1), new DeliveryStamp(1, ++told)))]));
                link.Answered(new ShardAnswer(1, MustDeclare: false, 7, default, DateTimeOffset.UnixEpoch, [], []));
            }
            while (link.HasWork);
            fanOut.Flush(TimeSpan.Zero);
        }

        public bool IsReading { get; init; } = true;

        public bool TryWrite(byte[] frame) => IsReading;

        public bool Flush() => IsReading;

        public void Pause() => throw new InvalidOperationException("Nobody asks anything here.");

        public void Resume() => throw new InvalidOperationException("Nobody asks anything here.");

        public void Close(CloseCode code, string reason) => throw new InvalidOperationException("Nothing closes a connection here.");

        public Task DeliverAsync()
        {
            for (var delivery = 0; delivery < Deliveries; delivery++)
            {
                told++;
                Take(new DeliveryBatch(1, ++batches, [new Effect.Deliver(gateway, people[told % Publishers], Record(told), new DeliveryStamp(1, told))]));
                fanOut.Flush(TimeSpan.Zero);
            }

            return Task.CompletedTask;
        }

        private void Take(DeliveryBatch batch)
        {
            fanOut.BeginTurn(TimeSpan.Zero, int.MaxValue);
            fanOut.Take(batch);
        }

        // The status turns once a round over all publishers, so that each delivery shows something new.
        private static StatusRecord Record(long seq) =>
            new((Status)(1 + (seq / Publishers % 7)), default, new StatusVersion(7, 1, seq), new ChangeSource(SourceKind.Client, "bench", "", DateTimeOffset.UnixEpoch));
    }
}
