using Microsoft.Extensions.Time.Testing;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Routing;
using StatusDaemon.Simulation;
using StatusDaemon.Statuses;
using StatusDaemon.Storage;
using static StatusDaemon.Privileges.SmallDirectories;

namespace StatusDaemon.Daemon;

public sealed class RouterShardTests : IAsyncDisposable
{
    private static readonly GatewayId Gateway = new(1);
    private static readonly ConnectionId Connection = new(Gateway, 1);

    private readonly FakeTimeProvider time = new();
    private readonly SimStore store = new(incarnation: 7);
    private readonly Router router;
    private readonly RouterShard shard;
    private readonly Outbox outbox = new(1);
    private long batches;

    public RouterShardTests()
    {
        var clock = new SteadyClock(time);
        var outboxes = new Outboxes();
        outboxes.TryAdd(Gateway, outbox);
        var directory = new DirectorySnapshot([], new DirectoryPolicy { AcceptsUnknown = true, AdmitsUnknown = true });
        router = new Router(new RouterSettings(), new UidTable(), directory, store.Incarnation, epoch: 1, clock.Now);
        shard = new RouterShard(0, router, outboxes, store, clock);
    }

    public ValueTask DisposeAsync() => store.DisposeAsync();

    [Fact]
    public async Task A_gateway_that_waits_for_a_store_that_is_away_is_not_given_up()
    {
        store.IsUnreadable = true;
        var batch = new ShardBatch(Gateway, 1, 1, [new RouterInput.Declare(Gateway), new RouterInput.Open(Connection, UidOf("alice"), "alice", ""), new RouterInput.Watch(Connection, UidOf("alice"), UidOf("bob"), 1)]);
        for (var second = 0; second < 60; second++)
        {
            await Assert.ThrowsAsync<SimStore.StoreAwayException>(() => shard.TakeAsync(batch, CancellationToken.None));
            time.Advance(TimeSpan.FromSeconds(1));
            await Assert.ThrowsAsync<SimStore.StoreAwayException>(() => shard.TickAsync(CancellationToken.None));
        }

        store.IsUnreadable = false;
        await shard.TickAsync(CancellationToken.None);
        Assert.True(router.Knows(Gateway));
        Assert.False((await shard.TakeAsync(batch, CancellationToken.None)).MustDeclare);
    }

    [Fact]
    public async Task A_repeated_batch_is_taken_once_and_answered_the_same()
    {
        await shard.TakeAsync(new RouterInput.AllRead([]), CancellationToken.None);
        var batch = new ShardBatch(Gateway, 1, 1, [new RouterInput.Declare(Gateway), new RouterInput.Publish(Connection, UidOf("alice"), Status.Busy, default)]);
        var answer = await shard.TakeAsync(batch, CancellationToken.None);
        Assert.Equal([new FeedKey(1, 1)], answer.Accepted);
        Assert.Same(answer, await shard.TakeAsync(batch, CancellationToken.None));
        Assert.Equal(new FeedKey(1, 1), router.LastChange);
    }

    [Fact]
    public async Task A_batch_that_the_store_holds_up_goes_on_where_it_stopped()
    {
        await shard.TakeAsync(new RouterInput.AllRead([]), CancellationToken.None);
        var later = new StatusRecord(Status.Busy, default, new StatusVersion(7, 9, 1), new ChangeSource(SourceKind.Client, "bob", "", DateTimeOffset.UnixEpoch));
        RouterInput[] inputs = [new RouterInput.Declare(Gateway), Publish("alice"), new RouterInput.Adopt(UidOf("bob"), later), Publish("carol")];
        var batch = new ShardBatch(Gateway, 1, 1, inputs);
        store.IsStuck = true; // the record is of a later epoch than the shard's: the store was restored
        for (var again = 0; again < 2; again++)
        {
            await Assert.ThrowsAsync<SimStore.StoreAwayException>(() => shard.TakeAsync(batch, CancellationToken.None));
        }

        store.IsStuck = false;
        Assert.Equal([new FeedKey(1, 1), new FeedKey(10, 2), new FeedKey(10, 3)], (await shard.TakeAsync(batch, CancellationToken.None)).Accepted);
        Assert.All([UidOf("alice"), UidOf("bob"), UidOf("carol")], uid => Assert.Equal(Status.Busy, router.RecordOf(uid).Status));
    }

    [Fact]
    public async Task A_copy_of_an_earlier_batch_does_not_touch_the_answer_to_a_later_one()
    {
        var record = new StatusRecord(Status.Busy, default, new StatusVersion(7, 1, 1), new ChangeSource(SourceKind.Client, "alice", "", DateTimeOffset.UnixEpoch));
        RouterInput.Adopt[] adopts = [new(UidOf("alice"), record), new(UidOf("alice"), record)];
        var first = new ShardBatch(Gateway, 1, 1, [new RouterInput.Declare(Gateway), .. adopts]);
        await shard.TakeAsync(first, CancellationToken.None);
        store.IsUnreadable = true;
        var second = new ShardBatch(Gateway, 1, 2, [new RouterInput.Watch(Connection, UidOf("alice"), UidOf("bob"), 1), Publish("carol")]);
        await Assert.ThrowsAsync<SimStore.StoreAwayException>(() => shard.TakeAsync(second, CancellationToken.None));
        store.IsUnreadable = false;

        Assert.Empty((await shard.TakeAsync(first, CancellationToken.None)).Accepted);
        Assert.Equal([router.LastChange], (await shard.TakeAsync(second, CancellationToken.None)).Accepted);
    }

    [Fact]
    public async Task A_gateway_that_could_not_be_heard_while_the_process_was_paused_gets_a_second_to_be_heard()
    {
        await shard.TakeAsync(new RouterInput.AllRead([]), CancellationToken.None);
        await shard.TakeAsync(new ShardBatch(Gateway, 1, 1, [new RouterInput.Declare(Gateway), new RouterInput.Open(Connection, UidOf("alice"), "alice", ""), Publish("alice")]), CancellationToken.None);
        await shard.TickAsync(CancellationToken.None);
        time.Advance(TimeSpan.FromMinutes(1));
        await shard.TickAsync(CancellationToken.None);
        Assert.Equal(Status.Busy, router.RecordOf(UidOf("alice")).Status);
        Assert.False((await shard.TakeAsync(new ShardBatch(Gateway, 1, 2, []), CancellationToken.None)).MustDeclare);
        time.Advance(TimeSpan.FromSeconds(1));
        await shard.TickAsync(CancellationToken.None);
        Assert.Equal(Status.Busy, router.RecordOf(UidOf("alice")).Status);
    }

    [Fact]
    public async Task A_gateway_whose_outbox_was_given_up_must_declare_itself()
    {
        var stranger = new GatewayId(2);
        Assert.True((await shard.TakeAsync(new ShardBatch(stranger, 1, 1, [new RouterInput.Declare(stranger)]), CancellationToken.None)).MustDeclare);
        Assert.True((await shard.TakeAsync(new ShardBatch(Gateway, 9, 1, [new RouterInput.Declare(Gateway)]), CancellationToken.None)).MustDeclare);
        Assert.False(router.Knows(Gateway));
    }

    [Fact]
    public async Task What_a_gateway_publishes_comes_back_with_the_answer_and_again_if_that_was_lost()
    {
        await WatchAliceAsync();
        while (outbox.Take() is not null)
        {
        }

        var batch = Batch(Publish("alice"), Publish("bob"), Publish("alice"));
        var answer = await shard.TakeAsync(batch, CancellationToken.None);
        Assert.Equal([UidOf("alice"), UidOf("alice")], answer.Told.Select(told => told.Publisher)); // nobody watches bob
        Assert.Equal(answer.Accepted.Where((_, at) => at != 1).Select(key => key.Seq), answer.Told.Select(told => told.Record.Version.Seq));
        Assert.Equal(answer.Told, (await shard.TakeAsync(batch, CancellationToken.None)).Told);
        Assert.Null(outbox.Take());
        Assert.Empty((await shard.TakeAsync(Batch(), CancellationToken.None)).Told);
    }

    [Fact]
    public async Task What_is_published_never_overtakes_a_verdict_by_going_with_the_answer()
    {
        await WatchAliceAsync();
        Assert.Empty((await shard.TakeAsync(Batch(Publish("alice")), CancellationToken.None)).Told);
        Assert.IsType<Effect.Tell>(Assert.Single(outbox.Take()!.Deliveries, delivery => delivery is Effect.Tell));
        Assert.Empty((await shard.TakeAsync(Batch(Publish("alice")), CancellationToken.None)).Told); // the verdict is under way
        Assert.IsType<Effect.Deliver>(Assert.Single(outbox.Take()!.Deliveries));
        Assert.Single((await shard.TakeAsync(Batch(Publish("alice")), CancellationToken.None)).Told);
        outbox.Close();
        Assert.Empty((await shard.TakeAsync(Batch(Publish("alice")), CancellationToken.None)).Told); // what was told before may be lost
    }

    [Fact]
    public async Task A_status_does_not_wait_for_a_store_that_another_input_of_its_batch_waits_for()
    {
        await WatchAliceAsync();
        while (outbox.Take() is not null)
        {
        }

        store.IsUnreadable = true;
        var batch = Batch(Publish("alice"), new RouterInput.Watch(Connection, UidOf("alice"), UidOf("carol"), 2));
        await Assert.ThrowsAsync<SimStore.StoreAwayException>(() => shard.TakeAsync(batch, CancellationToken.None));
        Assert.Equal(UidOf("alice"), Assert.IsType<Effect.Deliver>(Assert.Single(outbox.Take()!.Deliveries)).Publisher);
        store.IsUnreadable = false;
        Assert.Empty((await shard.TakeAsync(batch, CancellationToken.None)).Told);
    }

    [Fact]
    public async Task Whom_the_router_asks_for_while_the_store_reads_others_is_read_next()
    {
        store.External = new ExternalStatuses(shards: 1);
        store.External.Own(0, epoch: 1);
        var reading = new TaskCompletionSource();
        store.Reading = reading.Task;
        var watching = WatchAliceAsync();
        store.External.Put(new ExternalStatus(
            UidOf("bob"), Status.Busy, default, new ChangeSource(SourceKind.Client, "bob", "", DateTimeOffset.UnixEpoch), HeardAt: 0, Look: 0, Version: new StatusVersion(7, 1, 1)));
        await shard.TakeExternalAsync(CancellationToken.None); // as a save does, between the waits of a batch
        reading.SetResult();
        await watching;
        while (outbox.Take() is not null)
        {
        }

        await shard.TakeAsync(Batch(new RouterInput.Watch(Connection, UidOf("alice"), UidOf("bob"), 2)), CancellationToken.None);
        Assert.Equal(UidOf("bob"), Assert.IsType<Effect.Tell>(Assert.Single(outbox.Take()!.Deliveries)).Publisher);
    }

    /// <summary>The gateway declares itself and a client that watches alice, whom the store does not know.</summary>
    private async Task WatchAliceAsync() => await shard.TakeAsync(
        Batch(new RouterInput.Declare(Gateway), new RouterInput.Open(Connection, UidOf("alice"), "alice", ""), new RouterInput.Watch(Connection, UidOf("alice"), UidOf("alice"), 1)), CancellationToken.None);

    private ShardBatch Batch(params RouterInput[] inputs) => new(Gateway, 1, ++batches, inputs);

    private static RouterInput.Publish Publish(string name) => new(Connection, UidOf(name), Status.Busy, default);
}
