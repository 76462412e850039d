using StatusDaemon.Names;
using StatusDaemon.Privileges;
using static StatusDaemon.Privileges.SmallDirectories;

namespace StatusDaemon.Directories;

/// <summary>What every directory does, against the real thing.</summary>
public abstract class SubscriberDirectoryContract
{
    private protected static readonly Subscriber Alice = Person("alice", "1001");
    private protected static readonly Subscriber Bob = Person("bob", "1002");
    private protected static readonly Subscriber Carol = Person("carol", "1003");

    private protected CancellationToken Stop { get; } = TestContext.Current.CancellationToken;

    /// <summary>A directory that follows the source; it knows Alice when the test begins.</summary>
    private protected abstract ISubscriberDirectory Followed { get; }

    /// <summary>Makes the source say these, and nobody else.</summary>
    private protected abstract Task SayAsync(params Subscriber[] subscribers);

    /// <summary>Empties the source, as a mistake does.</summary>
    private protected abstract Task EmptyAsync();

    /// <summary>Takes the source away.</summary>
    private protected abstract Task BreakAsync();

    /// <summary>Gives it back, with nobody but these in it.</summary>
    private protected abstract Task MendAsync(params Subscriber[] subscribers);

    /// <summary>Waits for something, and lets time pass where the directory is on a clock of the test.</summary>
    private protected abstract Task<T> HappensAsync<T>(Task<T> something);

    private protected static Subscriber Person(string name, params string[] numbers) =>
        new() { Uid = UidOf(name), DName = DNameOf($"{name}@A"), Numbers = [.. numbers.Select(NumberOf)], Name = name.ToUpperInvariant() };

    private protected static string Names(DirectorySnapshot snapshot) =>
        string.Join(' ', snapshot.Subscribers.Select(subscriber => subscriber.Uid.ToString()).Order(StringComparer.Ordinal));

    /// <summary>Waits until a snapshot is in force that is as it should be.</summary>
    private protected Task<DirectorySnapshot> SeesAsync(ISubscriberDirectory directory, Func<DirectorySnapshot, bool> isSo)
    {
        return HappensAsync(FindAsync().WaitAsync(TimeSpan.FromSeconds(30), Stop));

        async Task<DirectorySnapshot> FindAsync()
        {
            await foreach (var snapshot in directory.FollowAsync(Stop))
            {
                if (isSo(snapshot))
                {
                    return snapshot;
                }
            }

            throw new InvalidOperationException("It has ended.");
        }
    }

    private protected Task<DirectorySnapshot> SeesAsync(string names) => SeesAsync(Followed, snapshot => Names(snapshot) == names);

    /// <summary>Has the source looked at again, to the last of it.</summary>
    private protected virtual Task<DirectorySnapshot> RefreshAsync() => HappensAsync(Followed.RefreshAsync(Stop));

    [Fact]
    public void It_is_there_with_all_that_the_source_says()
    {
        Assert.True(Followed.IsThere);
        Assert.True(Followed.Current.TryGet(DNameOf("alice@A"), out var byName) && Followed.Current.TryGet(NumberOf("1001"), out var byNumber) && byName == byNumber);
        Assert.True(Followed.Current.TryGet(UidOf("alice"), out var alice));
        Assert.Equal(("alice@A", "ALICE", "1001"), (alice.DName.ToString(), alice.Name, string.Join(',', alice.ShownNumbers)));
        Assert.False(alice.IsShownOtherwise);
        Assert.Null(Followed.LastProblem);
        Assert.Null(Followed.Trouble);
    }

    [Fact]
    public async Task Who_is_added_and_removed_is_told_to_every_follower()
    {
        var other = SeesAsync(Followed, snapshot => Names(snapshot) == "alice bob");
        await SayAsync(Alice, Bob);
        var both = await SeesAsync("alice bob");
        Assert.Equal("alice bob", Names(await other));
        await SayAsync(Bob);
        var one = await SeesAsync("bob");
        Assert.True(one.Revision > both.Revision);
        Assert.Same(one, Followed.Current);
    }

    [Fact]
    public async Task A_rule_is_in_force_when_it_is_said_and_no_more_when_it_is_not()
    {
        await SayAsync(Alice with { Rules = new BlackWhiteRules([SelectorOf("dname:bob@*"), SelectorOf("number:2*")], []) }, Bob, Carol);
        var hidden = await SeesAsync(Followed, snapshot => snapshot.Subscribers.Count == 3 && !snapshot.Judge(Alice.Uid, Bob.Uid).IsVisible);
        Assert.True(hidden.Judge(Alice.Uid, Carol.Uid).IsVisible);
        await SayAsync(Alice with { Rules = new BlackWhiteRules([], [new Selector.One(Bob.Uid)]) }, Bob, Carol);
        await SeesAsync(Followed, snapshot => snapshot.Judge(Alice.Uid, Bob.Uid).IsVisible && !snapshot.Judge(Alice.Uid, Carol.Uid).IsVisible);
        await SayAsync(Alice, Bob, Carol);
        await SeesAsync(Followed, snapshot => snapshot.Judge(Alice.Uid, Carol.Uid).IsVisible);
    }

    [Fact]
    public async Task A_number_and_a_name_that_move_have_one_owner_at_every_moment()
    {
        await SayAsync(Alice, Bob);
        await SeesAsync("alice bob");
        await SayAsync(Alice with { Numbers = [] }, Bob with { Numbers = [NumberOf("1001"), NumberOf("1002")] });
        var moved = await SeesAsync(Followed, snapshot => snapshot.TryGet(NumberOf("1001"), out var owner) && owner.Uid.Equals(Bob.Uid));
        Assert.True(moved.TryGet(Alice.Uid, out var alice) && alice.Numbers.Count == 0);

        await SayAsync(Person("other", "1003") with { DName = Alice.DName }, Bob);
        var renamed = await SeesAsync(Followed, snapshot => snapshot.TryGet(Alice.DName, out var owner) && owner.Uid.Equals(UidOf("other")));
        Assert.True(!renamed.TryGet(Alice.Uid, out alice) || alice.DNames.Count == 0);
    }

    [Fact]
    public async Task What_was_said_before_a_refresh_is_in_what_it_returns()
    {
        foreach (var subscriber in (Subscriber[])[Bob, Carol, Alice])
        {
            await SayAsync(subscriber);
            Assert.Equal(subscriber.Uid.ToString(), Names(await HappensAsync(Followed.RefreshAsync(Stop))));
        }
    }

    [Fact]
    public async Task A_refresh_without_a_change_gives_the_same_snapshot() => Assert.Same(Followed.Current, await RefreshAsync());

    [Fact]
    public async Task An_empty_source_removes_nobody()
    {
        await SayAsync(Alice, Bob);
        await SeesAsync("alice bob");
        await EmptyAsync();
        Assert.Equal("alice bob", Names(await RefreshAsync()));
        Assert.NotNull(Followed.LastProblem);
        Assert.NotNull(Followed.Trouble);
        Assert.True(Followed.IsThere);

        await SayAsync(Alice, Bob, Carol);
        await SeesAsync("alice bob carol");
        await RefreshAsync();
        Assert.Null(Followed.LastProblem);
    }

    [Fact]
    public async Task A_source_that_is_away_changes_nothing_and_is_followed_again_when_it_is_back()
    {
        await BreakAsync();
        Assert.Equal("alice", Names(await RefreshAsync()));
        Assert.NotNull(Followed.LastProblem);
        await MendAsync(Bob, Carol);
        await SeesAsync("bob carol");
        await RefreshAsync();
        Assert.Null(Followed.LastProblem);
        await SayAsync(Bob);
        await SeesAsync("bob");
    }

    [Fact]
    public async Task A_slow_follower_gets_the_latest()
    {
        await using var slow = Followed.FollowAsync(Stop).GetAsyncEnumerator(Stop);
        Assert.True(await slow.MoveNextAsync());
        foreach (var subscriber in (Subscriber[])[Bob, Carol])
        {
            await SayAsync(subscriber);
            await SeesAsync(subscriber.Uid.ToString());
        }

        Assert.True(await HappensAsync(slow.MoveNextAsync().AsTask()));
        Assert.Equal("carol", Names(slow.Current));
    }

    [Fact]
    public async Task A_follower_ends_when_it_is_told_to()
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        await using var follower = Followed.FollowAsync(end.Token).GetAsyncEnumerator(end.Token);
        Assert.True(await follower.MoveNextAsync());
        var next = follower.MoveNextAsync().AsTask();
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
    }
}
