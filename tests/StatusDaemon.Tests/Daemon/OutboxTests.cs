using CsCheck;
using Microsoft.Extensions.Time.Testing;
using StatusDaemon.Names;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;
using static StatusDaemon.Privileges.SmallDirectories;

namespace StatusDaemon.Daemon;

public sealed class OutboxTests
{
    private static readonly GatewayId Gateway = new(1);
    private static readonly Uid[] People = [.. Enumerable.Range(0, 50).Select(i => UidOf($"p{i}"))];

    [Fact]
    public void A_short_outbox_gives_everything_in_the_order_of_telling_verdicts_first()
    {
        var outbox = new Outbox(9);
        outbox.Add(Status(0, 1));
        outbox.Add(Verdict(0, 0, 2));
        outbox.Add(Status(0, 3));
        outbox.Add(Verdict(0, 0, 4));
        var batch = outbox.Take()!;
        Assert.Equal((9UL, 1L), (batch.Outbox, batch.Number));
        Assert.Equal([2, 4, 1, 3], batch.Deliveries.Select(CounterOf));
        Assert.Null(outbox.Take());
        outbox.Add(Status(0, 5));
        Assert.Equal(2, outbox.Take()!.Number);
    }

    [Fact]
    public void A_full_outbox_keeps_the_newest_status_of_each_publisher_and_the_newest_verdict_of_each_watch() =>
        Gen.Select(Gen.Bool, Gen.Int[0, 49], Gen.Int[0, 9]).Array[Outbox.PatientDeliveries, Outbox.PatientDeliveries * 2].Sample(told =>
        {
            var outbox = new Outbox(9);
            var newest = new Dictionary<(bool, int, int), long>();
            for (var i = 0; i < told.Length; i++)
            {
                var (isVerdict, person, connection) = told[i];
                newest[(isVerdict, person, isVerdict ? connection : 0)] = i + 1;
                outbox.Add(isVerdict ? Verdict(connection, person, i + 1) : Status(person, i + 1));
                Assert.InRange(outbox.Count, 1, Outbox.PatientDeliveries);
            }

            var taken = new List<Effect>();
            while (outbox.Take() is { } batch)
            {
                Assert.InRange(batch.Deliveries.Count, 1, Outbox.BatchDeliveries);
                taken.AddRange(batch.Deliveries);
            }

            Assert.Equal(newest.Values.Order(), taken.GroupBy(SubjectOf).Select(same => same.Max(CounterOf)).Order());
            Assert.True(taken.SkipWhile(one => one is Effect.Tell).All(one => one is Effect.Deliver));
            foreach (var kind in taken.GroupBy(one => one is Effect.Tell))
            {
                Assert.Equal(kind.Select(CounterOf).Order(), kind.Select(CounterOf));
            }
        }, iter: 10, threads: 1);

    [Fact]
    public async Task Whoever_waits_is_woken_by_the_first_that_is_told()
    {
        var outbox = new Outbox(9);
        var waiting = outbox.WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.False(waiting.IsCompleted);
        outbox.Add(Status(0, 1));
        Assert.True(await waiting);
    }

    [Fact]
    public async Task Whoever_waits_in_vain_is_told_so_by_the_clock_that_it_brings()
    {
        var time = new FakeTimeProvider();
        var waiting = new Outbox(9).WaitAsync(TimeSpan.FromMinutes(1), time, TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(waiting.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(await waiting);
    }

    [Fact]
    public void A_closed_outbox_drops_what_waits_and_takes_nothing()
    {
        var (outboxes, outbox) = (new Outboxes(), new Outbox(9));
        Assert.True(outboxes.TryAdd(Gateway, outbox));
        Assert.False(outboxes.TryAdd(Gateway, new Outbox(10)));
        outbox.Add(Status(0, 1));
        outboxes.Remove(Gateway);
        outbox.Add(Verdict(0, 0, 2));
        Assert.False(outbox.IsOpen);
        Assert.Equal(0, outbox.Count);
        Assert.Null(outbox.Take());
        Assert.Null(outboxes.Find(Gateway));
    }

    private static Effect.Deliver Status(int person, long counter) =>
        new Effect.Deliver(Gateway, People[person], default, new DeliveryStamp(1, counter));

    private static Effect.Tell Verdict(int connection, int person, long counter) =>
        new Effect.Tell(new ConnectionId(Gateway, connection), People[person], 1, true, default, new DeliveryStamp(1, counter));

    private static long CounterOf(Effect delivery) => delivery switch
    {
        Effect.Deliver deliver => deliver.Stamp.Counter,
        Effect.Tell tell => tell.Stamp.Counter,
        _ => throw new InvalidOperationException("No delivery."),
    };

    private static (long, Uid) SubjectOf(Effect delivery) => delivery switch
    {
        Effect.Deliver deliver => (-1, deliver.Publisher),
        Effect.Tell tell => (tell.Connection.Number, tell.Publisher),
        _ => throw new InvalidOperationException("No delivery."),
    };
}
