using Microsoft.Extensions.Time.Testing;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Routing;
using StatusDaemon.Simulation;
using StatusDaemon.Statuses;
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

    public RouterShardTests()
    {
        var clock = new SteadyClock(time);
        var outboxes = new Outboxes();
        outboxes.TryAdd(Gateway, new Outbox(1));
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
    public async Task A_gateway_whose_outbox_was_given_up_must_declare_itself()
    {
        var stranger = new GatewayId(2);
        Assert.True((await shard.TakeAsync(new ShardBatch(stranger, 1, 1, [new RouterInput.Declare(stranger)]), CancellationToken.None)).MustDeclare);
        Assert.True((await shard.TakeAsync(new ShardBatch(Gateway, 9, 1, [new RouterInput.Declare(Gateway)]), CancellationToken.None)).MustDeclare);
        Assert.False(router.Knows(Gateway));
    }
}
