using System.Threading.Channels;
using StatusDaemon.Daemon;

namespace StatusDaemon.Cluster;

public sealed class DirectoryFollowerTests : IAsyncLifetime
{
    private readonly WatchedTime time = new();
    private readonly GivenDirectory directory = new();
    private readonly DirectoryChanges changes = new();
    private readonly LocalShards shards = new();
    private readonly WarningLog<ShardWaker> log = new();
    private readonly DirectoryFollower follower;

    public DirectoryFollowerTests() => follower = new DirectoryFollower(directory, changes, new ShardWaker(shards, time, log));

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await follower.StartAsync(Stop);

    public async ValueTask DisposeAsync()
    {
        await follower.StopAsync(CancellationToken.None);
        follower.Dispose();
        log.Dispose();
    }

    [Fact]
    public async Task A_shard_that_is_stuck_holds_up_no_other_and_learns_only_the_newest_when_it_is_free()
    {
        var (stuck, free) = (new ShardDouble(changes), new ShardDouble(changes));
        var held = new TaskCompletionSource();
        stuck.Outcome = held.Task;
        shards.Add(0, stuck.FollowAsync);
        shards.Add(1, free.FollowAsync);
        for (var revision = 2; revision <= 5; revision++)
        {
            directory.Give(revision);
            Assert.Equal(revision, await free.Revisions.ReadAsync(Stop));
        }

        Assert.Equal(2, await stuck.Revisions.ReadAsync(Stop));
        stuck.Outcome = Task.CompletedTask;
        held.SetResult();
        Assert.Equal(5, await stuck.Revisions.ReadAsync(Stop));
        directory.Give(6);
        Assert.Equal(6, await stuck.Revisions.ReadAsync(Stop));
    }

    [Fact]
    public async Task A_shard_that_fails_is_asked_again_until_it_does_not_and_is_logged_once()
    {
        var shard = new ShardDouble(changes) { Outcome = Task.FromException(new TaskCanceledException("the silo is gone")) };
        shards.Add(0, shard.FollowAsync);
        directory.Give(2);
        for (var again = 0; again < 3; again++)
        {
            Assert.Equal(2, await shard.Revisions.ReadAsync(Stop));
            time.Advance(await time.NextWaitAsync(Stop));
        }

        shard.Outcome = Task.FromException(new InvalidOperationException());
        await shard.Revisions.ReadAsync(Stop);
        var pause = await time.NextWaitAsync(Stop);
        shard.Outcome = Task.CompletedTask;
        time.Advance(pause);
        await shard.Revisions.ReadAsync(Stop);
        Assert.Contains("the silo is gone", await log.Lines.ReadAsync(Stop), StringComparison.Ordinal);
        directory.Give(3);
        Assert.Equal(3, await shard.Revisions.ReadAsync(Stop));
        Assert.False(log.Lines.TryRead(out _));
    }

    [Fact]
    public async Task A_shard_that_has_gone_is_not_asked_any_more_and_one_that_comes_after_it_is()
    {
        var (gone, next) = (new ShardDouble(changes) { Outcome = Task.FromException(new InvalidOperationException()) }, new ShardDouble(changes));
        shards.Add(0, gone.FollowAsync);
        directory.Give(2);
        await gone.Revisions.ReadAsync(Stop);
        var pause = await time.NextWaitAsync(Stop);
        shards.Remove(0, hasMoved: false);
        shards.Add(1, next.FollowAsync);
        time.Advance(pause);
        directory.Give(3);
        await next.Revisions.ReadAsync(Stop);
        shards.Add(0, next.FollowAsync);
        directory.Give(4);
        Assert.Equal(4, await next.Revisions.ReadAsync(Stop));
        Assert.Equal(4, await next.Revisions.ReadAsync(Stop));
        Assert.False(gone.Revisions.TryRead(out _));
    }

    private sealed class ShardDouble(DirectoryChanges changes)
    {
        private readonly Channel<long> told = Channel.CreateUnbounded<long>(); // a test tells few

        public Task Outcome { get; set; } = Task.CompletedTask;

        /// <summary>What was in force when it was asked.</summary>
        public ChannelReader<long> Revisions => told.Reader;

        public Task FollowAsync()
        {
            var outcome = Outcome;
            told.Writer.TryWrite(changes.Last.To.Revision);
            return outcome;
        }
    }
}
