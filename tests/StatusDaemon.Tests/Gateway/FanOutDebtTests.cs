using StatusDaemon.Names;
using StatusDaemon.Protocol;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;

namespace StatusDaemon.Gateway;

/// <summary>What a client that never reads makes the gateway remember.</summary>
public sealed class FanOutDebtTests
{
    [Fact]
    public void Subscribing_and_unsubscribing_without_ever_reading_leaves_no_more_debts_than_watches()
    {
        var uids = new UidTable();
        var publisher = uids.Of("publisher"u8);
        var fanOut = new FanOut(new GatewayId(1), uids, shards: 1, new Limits());
        var client = fanOut.Admit(uids.Of("watcher"u8), default, new BlockedSink());
        for (var round = 1u; round <= 1_000; round++)
        {
            Assert.Null(fanOut.Take(client, new ClientWish(null, default, [(publisher, true)]), isLocal: true));
            var verdict = new Effect.Tell(client.Id, publisher, round, IsVisible: false, default, new DeliveryStamp(1, round));
            fanOut.BeginTurn(TimeSpan.Zero, int.MaxValue);
            fanOut.Take(new DeliveryBatch(1, round, [verdict]));
            fanOut.Flush(TimeSpan.Zero);
            Assert.Null(fanOut.Take(client, new ClientWish(null, default, [(publisher, false)]), isLocal: true));
        }

        Assert.NotNull(client.BehindSince);
        Assert.InRange(client.Backlog.Owed.Count, 1, 100);
    }

    /// <summary>The sink of a peer that takes nothing.</summary>
    private sealed class BlockedSink : IFrameSink
    {
        public bool TryWrite(byte[] frame) => true;

        public bool Flush() => false;

        public void Pause()
        {
        }

        public void Resume()
        {
        }

        public void Close(CloseCode code, string reason)
        {
        }
    }
}
