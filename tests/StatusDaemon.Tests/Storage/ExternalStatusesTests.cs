using StatusDaemon.Statuses;

namespace StatusDaemon.Storage;

public sealed class ExternalStatusesTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_shard_is_called_once_and_takes_the_latest_of_each()
    {
        var external = new ExternalStatuses(shards: 1);
        external.Own(0, epoch: 1);
        external.Put(Of("a", Status.Busy, 1));
        external.Put(Of("b", Status.Busy, 2));
        external.Put(Of("a", Status.Absent, 3));
        Assert.Equal((2, 1L), (external.Count, external.OldestAt));
        await using var calls = external.FollowAsync(Stop).GetAsyncEnumerator(Stop);
        Assert.True(await calls.MoveNextAsync());
        Assert.Equal(0, calls.Current);
        Assert.Equal([("a", Status.Absent), ("b", Status.Busy)], external.Take(0).Select(status => (status.Uid.ToString(), status.Status)).Order());
        Assert.Empty(external.Take(0));
        Assert.Null(external.OldestAt);

        var next = calls.MoveNextAsync();
        Assert.False(next.IsCompleted);
        external.Put(Of("a", Status.Busy, 4));
        Assert.True(await next);
    }

    [Fact]
    public async Task What_comes_after_the_call_calls_again()
    {
        var external = new ExternalStatuses(shards: 1);
        external.Own(0, epoch: 1);
        external.Put(Of("a", Status.Busy, 1));
        await using var calls = external.FollowAsync(Stop).GetAsyncEnumerator(Stop);
        await calls.MoveNextAsync();
        external.Put(Of("b", Status.Busy, 2));
        Assert.True(await calls.MoveNextAsync());
        Assert.Equal(2, external.Take(0).Count);
    }

    [Fact]
    public void A_store_of_the_daemon_alone_has_none_for_any_shard() => Assert.Empty(ExternalStatuses.None.Take(31));

    [Fact]
    public void Of_a_shard_that_is_not_here_nothing_waits()
    {
        var external = new ExternalStatuses(shards: 1);
        external.Put(Of("a", Status.Busy, 1));
        external.Own(0, epoch: 5);
        Assert.Equal(5, external.EpochOf(StoredStatuses.Uid("a")));
        Assert.Empty(external.Take(0));
        external.Put(Of("a", Status.Busy, 2));
        external.Own(0, epoch: 6); // it begins anew, and reads what is there
        Assert.Equal(0, external.Count);
        external.Put(Of("a", Status.Busy, 3));
        Assert.False(external.Disown(0, epoch: 5));
        Assert.Equal(1, external.Count);
        Assert.True(external.Disown(0, epoch: 6));
        Assert.Equal((0, 0L), (external.Count, external.EpochOf(StoredStatuses.Uid("a"))));
    }

    [Fact]
    public void What_the_daemon_before_us_wrote_does_not_replace_what_another_program_wrote()
    {
        var external = new ExternalStatuses(shards: 1);
        external.Own(0, epoch: 5);
        external.Put(Of("a", Status.Busy, 1));
        external.Put(Of("a", Status.Absent, 2) with { Version = new StatusVersion(1, 4, 1) });
        Assert.Equal(Status.Busy, Assert.Single(external.Take(0)).Status);
        external.Put(Of("a", Status.Absent, 2) with { Version = new StatusVersion(1, 4, 1) });
        Assert.Equal(Status.Absent, Assert.Single(external.Take(0)).Status);
    }

    [Fact]
    public void What_was_met_before_the_shard_has_read_something_newer_is_not_told_after_it()
    {
        var external = new ExternalStatuses(shards: 1);
        external.Own(0, epoch: 5);
        external.Put(Of("a", Status.Busy, 1));
        external.Put(Of("b", Status.Busy, 1));
        external.Overtake(StoredStatuses.Uid("a"), look: 3);
        external.Put(Of("a", Status.Absent, 2)); // the look was earlier, whoever brings it later
        Assert.Equal("b", Assert.Single(external.Take(0)).Uid.ToString());
        external.Put(Of("a", Status.Absent, 4));
        external.Overtake(StoredStatuses.Uid("a"), look: 3); // which this one was not
        Assert.Equal(Status.Absent, Assert.Single(external.Take(0)).Status);

        external.Own(0, epoch: 6);
        external.Put(Of("a", Status.Busy, 2));
        Assert.Single(external.Take(0));
    }

    private static ExternalStatus Of(string uid, Status status, long at) =>
        new(StoredStatuses.Uid(uid), status, default, new ChangeSource(SourceKind.External, "redis", "", DateTimeOffset.UnixEpoch), at, Look: at);
}
