using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;
using StatusDaemon.Cluster;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Redis;
using static StatusDaemon.Privileges.SmallDirectories;

namespace StatusDaemon.Directories;

/// <summary>A real redis-server of each test's own, which is changed, turned deaf, killed and emptied.</summary>
public sealed class RedisDirectoryTests : SubscriberDirectoryContract, IAsyncLifetime
{
    private static readonly string[] Telling = ["--notify-keyspace-events", "KA"];

    private readonly List<RedisDirectory> open = [];
    private RedisProcess redis = null!;
    private RedisDirectory directory = null!;

    private IDatabase Commands => redis.Commands;

    public async ValueTask InitializeAsync()
    {
        redis = await RedisProcess.StartAsync(Telling);
        await PrivilegeWriter.PutAsync(Commands, Alice);
        directory = await FollowAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var one in open)
        {
            await one.DisposeAsync();
        }

        await redis.DisposeAsync();
    }

    private protected override ISubscriberDirectory Followed => directory;

    private protected override Task SayAsync(params Subscriber[] subscribers) => PrivilegeWriter.SayAsync(Commands, redis.Server, subscribers);

    private protected override Task EmptyAsync() => redis.Server.FlushAllDatabasesAsync();

    private protected override Task BreakAsync() => redis.KillAsync();

    private protected override async Task MendAsync(params Subscriber[] subscribers)
    {
        await redis.StartAgainAsync();
        await SayAsync(subscribers);
    }

    private protected override async Task<DirectorySnapshot> RefreshAsync() => await SweptAsync(directory); // FLUSHALL rings nothing

    private protected override Task<T> HappensAsync<T>(Task<T> something) => something.WaitAsync(TimeSpan.FromSeconds(30), Stop);

    [Fact]
    public async Task What_is_told_needs_no_sweep()
    {
        var sweeps = directory.Sweeps;
        await Commands.SetAddAsync("black:alice", "*");
        await SeesAsync(directory, snapshot => !snapshot.Judge(Alice.Uid, Bob.Uid).IsVisible);
        await Commands.KeyDeleteAsync("black:alice");
        await SeesAsync(directory, snapshot => snapshot.Judge(Alice.Uid, Bob.Uid).IsVisible);
        await Commands.StringSetAsync("dname:bob@A", "bob");
        await SeesAsync("alice bob");
        Assert.Equal(sweeps, directory.Sweeps);
        Assert.False(directory.IsDeaf);
    }

    [Fact]
    public async Task A_transaction_that_exchanges_two_names_is_one_snapshot()
    {
        await SayAsync(Alice, Bob);
        await SeesAsync("alice bob");
        await using var follower = directory.FollowAsync(Stop).GetAsyncEnumerator(Stop);
        Assert.True(await follower.MoveNextAsync());

        var exchange = Commands.CreateTransaction();
        _ = exchange.StringSetAsync([new("dname:alice@A", "bob"), new("dname:bob@A", "alice")]);
        await exchange.ExecuteAsync();
        Assert.True(await HappensAsync(follower.MoveNextAsync().AsTask()));
        Assert.True(follower.Current.TryGet(DNameOf("alice@A"), out var alice) && alice.Uid.Equals(Bob.Uid));
        Assert.True(follower.Current.TryGet(DNameOf("bob@A"), out var bob) && bob.Uid.Equals(Alice.Uid));
    }

    [Fact]
    public async Task A_white_list_that_is_replaced_by_a_black_one_shows_nobody_in_between()
    {
        await SayAsync(Alice with { Rules = new BlackWhiteRules([], [new Selector.One(Carol.Uid)]) }, Bob);
        await SeesAsync(directory, snapshot => snapshot.Subscribers.Count == 2 && !snapshot.Judge(Alice.Uid, Bob.Uid).IsVisible);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var shown = Task.Run(async () =>
        {
            await foreach (var snapshot in directory.FollowAsync(end.Token))
            {
                if (snapshot.Judge(Alice.Uid, Bob.Uid).IsVisible)
                {
                    return;
                }
            }
        }, Stop);
        for (var turn = 0; turn < 200; turn++)
        {
            var exchange = Commands.CreateTransaction();
            var (full, other) = turn % 2 == 0 ? ("black", "white") : ("white", "black");
            _ = exchange.KeyDeleteAsync($"{other}:alice");
            _ = exchange.SetAddAsync($"{full}:alice", turn % 2 == 0 ? "*" : "carol");
            await exchange.ExecuteAsync();
        }

        await HappensAsync(directory.RefreshAsync(Stop));
        Assert.False(shown.IsCompleted);
        await end.CancelAsync();
        await shown.ContinueWith(_ => { }, TaskScheduler.Default);
    }

    [Fact]
    public async Task A_refresh_has_all_that_was_written_before_it_and_many_at_once_share_a_sweep()
    {
        var sweeps = directory.Sweeps;
        for (var turn = 0; turn < 300; turn++)
        {
            await (turn % 2 == 0 ? Commands.SetAddAsync("black:alice", "bob") : Commands.SetRemoveAsync("black:alice", "bob"));
            var snapshots = await HappensAsync(Task.WhenAll(Enumerable.Range(0, 32).Select(_ => directory.RefreshAsync(Stop))));
            Assert.All(snapshots, snapshot => Assert.Equal(turn % 2 == 1, snapshot.Judge(Alice.Uid, Bob.Uid).IsVisible));
        }

        Assert.InRange(directory.Sweeps - sweeps, 1, 32 * 30);
    }

    [Fact]
    public async Task Without_notifications_it_is_swept_and_says_so_once_and_they_are_used_when_they_come()
    {
        await redis.Server.ConfigSetAsync("notify-keyspace-events", "");
        using var log = new WarningLog<RedisDirectory>();
        var deaf = await FollowAsync(sweep: TimeSpan.FromMilliseconds(100), log);
        Assert.Contains("sends no keyspace notifications", await log.Lines.ReadAsync(Stop), StringComparison.Ordinal);
        Assert.Contains("tells no changes", deaf.Trouble, StringComparison.Ordinal);
        Assert.Null(deaf.LastProblem);

        await SayAsync(Alice with { Rules = new BlackWhiteRules([SelectorOf("*")], []) }, Bob);
        await SeesAsync(deaf, snapshot => snapshot.Subscribers.Count == 2 && !snapshot.Judge(Alice.Uid, Bob.Uid).IsVisible);
        await SayAsync(Alice);
        await SeesAsync(deaf, snapshot => snapshot.Subscribers.Count == 1 && snapshot.Judge(Alice.Uid, Bob.Uid).IsVisible);
        Assert.Equal("", (await redis.Server.ConfigGetAsync("notify-keyspace-events"))[0].Value); // not ours to set

        await redis.Server.ConfigSetAsync("notify-keyspace-events", "KA");
        await SayAsync(Alice, Carol);
        await SeesAsync(deaf, snapshot => Names(snapshot) == "alice carol");
        while (deaf.IsDeaf)
        {
            await HappensAsync(deaf.RefreshAsync(Stop));
        }

        Assert.False(log.Lines.TryRead(out var more), more);
    }

    [Fact]
    public async Task Notifications_that_are_turned_off_while_it_runs_are_missed()
    {
        using var log = new WarningLog<RedisDirectory>();
        var follower = await FollowAsync(sweep: TimeSpan.FromMilliseconds(100), log);
        await redis.Server.ConfigSetAsync("notify-keyspace-events", "Kg");
        await SayAsync(Alice, Bob);
        await SeesAsync(follower, snapshot => Names(snapshot) == "alice bob");
        Assert.Contains("notify-keyspace-events KA", await HappensAsync(log.Lines.ReadAsync(Stop).AsTask()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_lost_bell_hid_is_found_in_the_background()
    {
        var follower = await FollowAsync(sweep: TimeSpan.FromMilliseconds(100));
        var noBell = Commands.CreateTransaction(); // all in one, so that nobody can see that it is off
        _ = noBell.ExecuteAsync("CONFIG", "SET", "notify-keyspace-events", "");
        _ = noBell.StringSetAsync("dname:bob@A", "bob");
        _ = noBell.ExecuteAsync("CONFIG", "SET", "notify-keyspace-events", "KA");
        Assert.True(await noBell.ExecuteAsync());
        await SeesAsync(follower, snapshot => Names(snapshot) == "alice bob");
        Assert.False(follower.IsDeaf);
    }

    [Fact]
    public async Task Who_may_not_ask_for_the_setting_is_told_that_everything_is_swept()
    {
        await redis.Server.ExecuteAsync("ACL", "SETUSER", "reader", "on", ">secret", "allkeys", "allchannels", "+@read", "+@connection", "+psubscribe", "+punsubscribe", "+multi", "+exec");
        using var log = new WarningLog<RedisDirectory>();
        var reader = await FollowAsync(TimeSpan.FromMilliseconds(100), log, new RedisOptions { Port = redis.Port, User = "reader", Password = new Settings.Secret("secret") });
        Assert.Contains("may not be asked", await log.Lines.ReadAsync(Stop), StringComparison.Ordinal);
        await SayAsync(Alice, Bob);
        await SeesAsync(reader, snapshot => Names(snapshot) == "alice bob");
    }

    [Fact]
    public async Task The_rights_that_the_document_names_are_enough_and_each_channel_is_needed()
    {
        string[] rights =
        [
            "~dname:*", "~number:*", "~subscriber:*", "~black:*", "~white:*", "&__keyspace@0__:dname:*", "&__keyspace@0__:number:*", "&__keyspace@0__:subscriber:*", "&__keyspace@0__:black:*",
            "&__keyspace@0__:white:*", "+@read", "+@connection", "+psubscribe", "+punsubscribe", "+multi", "+exec", "+config|get",
        ];
        Assert.Contains(string.Join(' ', rights), await File.ReadAllTextAsync(Path.Combine(Settings.Repository.Root, "docs", "operations.md"), Stop), StringComparison.Ordinal);
        await redis.Server.ExecuteAsync("ACL", ["SETUSER", "reader", "on", ">secret", .. rights]);
        using var log = new WarningLog<RedisDirectory>();
        var reader = await FollowAsync(TimeSpan.FromSeconds(1), log, new RedisOptions { Port = redis.Port, User = "reader", Password = new Settings.Secret("secret") });
        Assert.False(reader.IsDeaf);
        await SayAsync(Alice, Bob);
        await SeesAsync(reader, snapshot => Names(snapshot) == "alice bob");

        // Redis ends the connection that listens where it must not any more.
        await redis.Server.ExecuteAsync("ACL", ["SETUSER", "reader", "resetchannels", .. rights.Where(right => right.StartsWith('&') && !right.EndsWith(":black:*", StringComparison.Ordinal))]);
        var told = "";
        while (!told.Contains("does not let this user listen to __keyspace@0__:black:*", StringComparison.Ordinal))
        {
            told = await HappensAsync(log.Lines.ReadAsync(Stop).AsTask());
        }

        Assert.True(reader.IsDeaf);
        await Commands.SetAddAsync("black:alice", "bob");
        await SeesAsync(reader, snapshot => !snapshot.Judge(Alice.Uid, Bob.Uid).IsVisible); // by reading everything
    }

    [Fact]
    public async Task A_refusal_ends_the_start_in_words()
    {
        await redis.Server.ExecuteAsync("CONFIG", "SET", "requirepass", "secret");
        var refusal = await Assert.ThrowsAsync<RedisAwayException>(() => FollowAsync());
        Assert.True(refusal.IsRefusal);
        Assert.Contains("set PRIVILEGE_REDIS.password", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_right_that_is_missing_is_named()
    {
        await redis.Server.ExecuteAsync("ACL", "SETUSER", "reader", "on", ">secret", "allkeys", "allchannels", "+@read", "-smembers", "+@connection", "+psubscribe", "+punsubscribe", "+multi", "+exec", "+config|get");
        await Commands.SetAddAsync("black:alice", "bob");
        var refusal = await Assert.ThrowsAsync<RedisAwayException>(() => FollowAsync(server: new RedisOptions { Port = redis.Port, User = "reader", Password = new Settings.Secret("secret") }));
        Assert.True(refusal.IsRefusal, refusal.Message);
        Assert.Contains("smembers", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Started_without_a_server_it_waits_and_so_does_who_needs_it()
    {
        await redis.KillAsync();
        var follower = await FollowAsync();
        Assert.False(follower.IsThere);
        Assert.Contains("can't be reached", follower.LastProblem, StringComparison.Ordinal);
        var refreshed = follower.RefreshAsync(Stop);
        await MendAsync(Alice, Bob);
        Assert.Equal("alice bob", Names(await HappensAsync(SeesAsync(follower, snapshot => Names(snapshot) == "alice bob"))));
        Assert.NotEmpty((await HappensAsync(refreshed)).Subscribers);
        Assert.True(follower.IsThere);
    }

    [Fact]
    public async Task An_empty_database_at_the_start_is_waited_for()
    {
        await EmptyAsync();
        var follower = await FollowAsync();
        Assert.False(follower.IsThere);
        Assert.Equal("it has no subscriber yet", follower.LastProblem);
        var refreshed = follower.RefreshAsync(Stop);
        await SayAsync(Carol);
        Assert.Equal("carol", Names(await HappensAsync(refreshed)));
    }

    [Fact]
    public async Task The_last_subscriber_is_not_removed()
    {
        await Commands.KeyDeleteAsync(["dname:alice@A", "number:1001", "subscriber:alice"]);
        Assert.Equal("alice", Names(await HappensAsync(directory.RefreshAsync(Stop))));
        Assert.Equal("it has no subscriber any more, of 1", directory.LastProblem);
    }

    [Fact]
    public async Task A_database_that_is_filled_again_removes_nobody_before_it_is_still()
    {
        Subscriber[] many = [.. Enumerable.Range(0, 40).Select(i => Person($"u{i}", $"{100 + i}"))];
        await SayAsync(many);
        var follower = await FollowAsync(sweep: TimeSpan.FromMilliseconds(200));
        await EmptyAsync();
        var seen = SeenUpToAsync(30);
        foreach (var subscriber in many[..30])
        {
            await PrivilegeWriter.PutAsync(Commands, subscriber);
            await SweptAsync(follower); // and each time everything is read
        }

        Assert.All(await HappensAsync(seen), count => Assert.True(count is 40 or 30));

        async Task<List<int>> SeenUpToAsync(int last)
        {
            List<int> counts = [];
            await foreach (var snapshot in follower.FollowAsync(Stop))
            {
                counts.Add(snapshot.Subscribers.Count);
                if (counts[^1] <= last)
                {
                    break;
                }
            }

            return counts;
        }
    }

    [Fact]
    public async Task More_than_half_are_removed_when_two_sweeps_agree()
    {
        Subscriber[] many = [.. Enumerable.Range(0, 40).Select(i => Person($"u{i}", $"{100 + i}"))];
        await SayAsync(many);
        using var log = new WarningLog<RedisDirectory>();
        var follower = await FollowAsync(sweep: TimeSpan.FromMilliseconds(100), log);
        await SayAsync(many[..5]);
        await SeesAsync(follower, snapshot => snapshot.Subscribers.Count == 5);
        Assert.Contains("it has lost 35 of 40 subscribers at once", await HappensAsync(log.Lines.ReadAsync(Stop).AsTask()), StringComparison.Ordinal);
        await SweptAsync(follower);
        Assert.Null(follower.LastProblem);
    }

    [Theory]
    [InlineData("black", "nmber:10*", false, false)] // may mean anybody
    [InlineData("white", "nmber:10*", false, false)] // shows nobody, and is a list all the same
    [InlineData("white", "nmber:10*,bob", true, false)]
    [InlineData("black", "nmber:10*,carol", false, false)]
    public async Task A_selector_that_cannot_be_read_shows_nobody_more(string list, string selectors, bool seesBob, bool seesCarol)
    {
        using var log = new WarningLog<RedisDirectory>();
        var follower = await FollowAsync(log: log);
        await Commands.SetAddAsync($"{list}:alice", [.. selectors.Split(',').Select(selector => (RedisValue)selector)]);
        await SeesAsync(follower, snapshot => snapshot.Judge(Alice.Uid, Bob.Uid).IsVisible == seesBob && snapshot.Judge(Alice.Uid, Carol.Uid).IsVisible == seesCarol);
        Assert.Contains("Rules alice", await HappensAsync(log.Lines.ReadAsync(Stop).AsTask()), StringComparison.Ordinal);
        await SweptAsync(follower);
        Assert.False(log.Lines.TryRead(out var again), again); // said once

        await Commands.KeyDeleteAsync($"{list}:alice");
        await SeesAsync(follower, snapshot => snapshot.Judge(Alice.Uid, Bob.Uid).IsVisible && snapshot.Judge(Alice.Uid, Carol.Uid).IsVisible);
    }

    [Fact]
    public async Task A_list_that_a_reading_misses_is_not_believed_to_be_gone_before_the_second()
    {
        await Commands.SetAddAsync("black:alice", "bob");
        var follower = await FollowAsync(sweep: TimeSpan.FromMilliseconds(200));
        await SweptAsync(follower);
        Assert.False(follower.Current.Judge(Alice.Uid, Bob.Uid).IsVisible);
        var before = follower.Sweeps;
        await EmptyAsync(); // which rings nothing
        await SayAsync(Alice);
        await SeesAsync(follower, snapshot => snapshot.Judge(Alice.Uid, Bob.Uid).IsVisible);
        Assert.InRange(follower.Sweeps, before + 2, long.MaxValue);
        Assert.Null(follower.LastProblem);
    }

    [Fact]
    public async Task Selectors_that_are_no_UTF_8_hide()
    {
        await Commands.SetAddAsync("black:alice", "dname:\u043c*"u8.ToArray()[..^2]); // cut in the middle of a letter
        await SeesAsync(directory, snapshot => !snapshot.Judge(Alice.Uid, Carol.Uid).IsVisible);
    }

    [Fact]
    public async Task Rules_that_are_no_set_hide()
    {
        await Commands.StringSetAsync("black:alice", "bob");
        await SeesAsync(directory, snapshot => !snapshot.Judge(Alice.Uid, Carol.Uid).IsVisible);
    }

    [Fact]
    public async Task What_else_cannot_be_read_is_left_out_and_told()
    {
        using var log = new WarningLog<RedisDirectory>();
        var follower = await FollowAsync(log: log);
        await Commands.StringSetAsync("dname:no-realm", "bob");
        await Commands.StringSetAsync("number:abc", "bob");
        await Commands.StringSetAsync("number:2000", "\n");
        await Commands.HashSetAsync("dname:hash@A", "a", "b");
        await Commands.StringSetAsync("subscriber:bob", "text");
        await Commands.HashSetAsync("subscriber:carol", [new("numbers", "3001, x ,3002"), new("domain", "no domain"), new("dname", "x"), new("name", "Carol")]);
        var snapshot = await SweptAsync(follower);
        Assert.Equal("alice carol", Names(snapshot));
        Assert.True(snapshot.TryGet(Carol.Uid, out var carol));
        Assert.Equal(("3001 3002", "Carol", "unreadable.invalid", true), (string.Join(' ', carol.ShownNumbers), carol.Name, carol.Domain.ToString(), carol.DName.IsEmpty));
        await SweptAsync(follower);
        List<string> told = []; // once, however often it is read
        while (log.Lines.TryRead(out var line))
        {
            told.Add(line);
        }

        foreach (var name in (string[])["dname:no-realm", "number:abc", "Number 2000", "DName hash@A", "Description bob", "Description carol"])
        {
            Assert.Single(told, line => line.Contains(name, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task What_is_shown_and_what_leads_to_a_subscriber_may_differ_and_is_counted()
    {
        await Commands.HashSetAsync("subscriber:alice", "numbers", "1001,1009");
        var snapshot = await SeesAsync(directory, snapshot => snapshot.ShownOtherwise == 1);
        Assert.False(snapshot.TryGet(NumberOf("1009"), out _)); // look-ups decide
        await Commands.StringSetAsync("number:1009", "alice");
        await SeesAsync(directory, snapshot => snapshot.ShownOtherwise == 0);
    }

    [Fact]
    public async Task Rules_that_come_first_wait_for_their_subscriber()
    {
        await Commands.SetAddAsync("black:bob", "*");
        await HappensAsync(directory.RefreshAsync(Stop));
        await Commands.StringSetAsync("dname:bob@A", "bob");
        var snapshot = await SeesAsync("alice bob");
        Assert.False(snapshot.Judge(Bob.Uid, Alice.Uid).IsVisible);
    }

    [Theory]
    [InlineData("{user}@{realm}", null, "alice@A")]
    [InlineData("login/{realm}/{user}", null, "login/A/alice")]
    [InlineData("login:{user}", "A", "login:alice")]
    public async Task Keys_are_named_as_the_settings_say(string pattern, string? realm, string key)
    {
        await EmptyAsync();
        var follower = await FollowAsync(options: options => new PrivilegeRedisOptions
        {
            Server = options.Server,
            DNameKey = RedisKeyPattern.Parse(pattern, "dname", "user", "realm"),
            NumberKey = RedisKeyPattern.Parse("n:{number}", "number"),
            SubscriberKey = RedisKeyPattern.Parse("sub:{uid}", "uid"),
            BlackKey = RedisKeyPattern.Parse("hide:{uid}:list", "uid"),
        }, realm: realm);
        await Commands.StringSetAsync(key, "u1");
        await Commands.StringSetAsync("n:77", "u1");
        await Commands.HashSetAsync("sub:a@b", "name", "with an at"); // fits {user}@{realm} too
        await Commands.SetAddAsync("hide:u1:list", "*");
        var snapshot = await SeesAsync(follower, snapshot => Names(snapshot) == "a@b u1" && !snapshot.Judge(UidOf("u1"), UidOf("a@b")).IsVisible);
        Assert.True(snapshot.TryGet(DNameOf("alice@A"), out var alice) && snapshot.TryGet(NumberOf("77"), out var same) && alice == same);
    }

    [Fact]
    public async Task Another_database_of_the_server_is_not_ours()
    {
        var other = await FollowAsync(server: new RedisOptions { Port = redis.Port, Database = 3 });
        Assert.False(other.IsThere);
        await Commands.Multiplexer.GetDatabase(3).StringSetAsync("dname:bob@A", "bob");
        await SeesAsync(other, snapshot => Names(snapshot) == "bob");
        Assert.Equal("alice", Names(directory.Current));
    }

    [Fact]
    public async Task Much_that_changes_at_once_arrives_whole()
    {
        var people = Enumerable.Range(0, 5_000).Select(i => Person($"u{i}", $"{10_000 + i}")).ToArray();
        await Task.WhenAll(people.SelectMany(person => PrivilegeWriter.Put(Commands, person)));
        await SeesAsync(directory, snapshot => snapshot.Subscribers.Count == 5_001 && snapshot.Subscribers.All(one => one.IsDescribed && one.DNames.Count == 1 && one.Numbers.Count == 1));
        Assert.Equal(TimeSpan.Zero, directory.Lag);
    }

    [Fact]
    public async Task A_server_that_hangs_holds_up_nobody_for_long()
    {
        redis.Suspend();
        try
        {
            Assert.Equal("alice", Names(await HappensAsync(directory.RefreshAsync(Stop))));
            Assert.NotNull(directory.LastProblem);
        }
        finally
        {
            redis.Resume();
        }

        await SayAsync(Bob);
        await SeesAsync("bob");
    }

    /// <summary>Waits until everything was read since the call, or the database is away.</summary>
    private async Task<DirectorySnapshot> SweptAsync(RedisDirectory follower)
    {
        // One that had begun before counts for nothing.
        for (var sweeps = follower.Sweeps + 2; follower.Sweeps < sweeps && follower.Trouble?.Contains("is away", StringComparison.Ordinal) != true;)
        {
            await HappensAsync(follower.RefreshAsync(Stop));
            await Task.Yield();
        }

        return follower.Current;
    }

    private async Task<RedisDirectory> FollowAsync(
        TimeSpan? sweep = null, WarningLog<RedisDirectory>? log = null, RedisOptions? server = null, Func<PrivilegeRedisOptions, PrivilegeRedisOptions>? options = null, string? realm = null)
    {
        var usual = new PrivilegeRedisOptions { Server = server ?? redis.Options, Sweep = sweep ?? TimeSpan.FromSeconds(5) };
        var follower = await RedisDirectory.OpenAsync(
            options?.Invoke(usual) ?? usual, new DirectoryPolicy(), realm, TimeProvider.System, log is null ? NullLogger<RedisDirectory>.Instance : log, Stop);
        open.Add(follower);
        await follower.StartAsync(Stop);
        return follower;
    }
}
