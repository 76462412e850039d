using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using StatusDaemon.Cluster;
using StatusDaemon.Privileges;
using StatusDaemon.Redis;
using StatusDaemon.Settings;

namespace StatusDaemon.Directories;

/// <summary>Members with files of their own over a real redis-server of each test.</summary>
public sealed class ClusterDirectoryTests : SubscriberDirectoryContract, IAsyncLifetime
{
    private const string Prefix = "statusd:cluster:statusd";

    private static readonly Subscriber Hiding = Alice with { Rules = new BlackWhiteRules([new Names.Selector.One(Bob.Uid)], []) };

    private readonly TempFolder folder = new();
    private readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly List<Member> open = [];
    private RedisProcess redis = null!;
    private Member member = null!;

    public async ValueTask InitializeAsync()
    {
        redis = await RedisProcess.StartAsync();
        member = await StartAsync("directory.yml", [Alice]);
        await HappensAsync(member.Directory.RefreshAsync(Stop)); // the others were asked for
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var one in open)
        {
            await one.DisposeAsync();
        }

        await redis.DisposeAsync();
        await services.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task Alone_it_is_the_directory_of_the_file()
    {
        Assert.Same(member.File.Current, member.Directory.Current);
        await SayAsync(Hiding, Bob);
        await SeesAsync(member.Directory, IsHidden);
        await SayAsync(Alice, Bob);
        await SeesAsync(member.Directory, IsShown);
        Assert.Same(member.File.Current, member.Directory.Current);
        Assert.Equal(3, member.Directory.Current.Revision);
    }

    [Fact]
    public async Task Who_is_hidden_by_one_file_is_hidden_everywhere_until_the_files_are_the_same_again()
    {
        using var log = new WarningLog<ClusterDirectory>();
        await SayAsync(Alice, Bob);
        await SeesAsync(member.Directory, IsShown);
        var other = await StartAsync("other.yml", [Hiding, Bob], log);
        Assert.True(IsHidden(await HappensAsync(other.Directory.RefreshAsync(Stop))));
        await SeesAsync(member.Directory, IsHidden);
        Assert.Contains("strictest verdict holds (event 5004)", member.Directory.Trouble, StringComparison.Ordinal);
        Assert.Contains("Files in force beside the one here: 1; subscribers that are shown to fewer people than by it: 0.", await HappensAsync(log.Lines.ReadAsync(Stop).AsTask()), StringComparison.Ordinal);

        await other.SayAsync(Alice, Bob);
        await SeesAsync(other.Directory, IsShown);
        await SeesAsync(member.Directory, IsShown);
        Assert.Null(member.Directory.Trouble);
        Assert.True(member.Directory.Current.Revision > member.File.Current.Revision);
        Assert.False(log.Lines.TryRead(out var more), more);
    }

    [Fact]
    public async Task A_member_that_begins_knows_by_its_first_refresh_what_the_files_of_the_others_hide()
    {
        await SayAsync(Hiding, Bob);
        await HappensAsync(member.Directory.RefreshAsync(Stop));
        await HappensAsync(member.Directory.RefreshAsync(Stop)); // it was told
        var late = await StartAsync("late.yml", [Alice, Bob]);
        Assert.True(IsHidden(await HappensAsync(late.Directory.RefreshAsync(Stop))));
        await foreach (var first in late.Directory.FollowAsync(Stop))
        {
            Assert.True(IsHidden(first));
            break;
        }
    }

    [Fact]
    public async Task A_file_that_shows_again_is_not_in_force_for_a_moment_while_others_have_the_one_before()
    {
        await SayAsync(Hiding, Bob);
        await SeesAsync(member.Directory, IsHidden);
        var other = await StartAsync("other.yml", [Hiding, Bob]);
        await HappensAsync(other.Directory.RefreshAsync(Stop));
        await HappensAsync(member.Directory.RefreshAsync(Stop)); // it has heard the other
        var shown = SeesAsync(member.Directory, IsShown);
        await SayAsync(Alice, Bob);
        Assert.True(IsHidden(await HappensAsync(member.Directory.RefreshAsync(Stop))));
        Assert.False(member.File.Current == member.Directory.Current || shown.IsCompleted);
        await other.SayAsync(Alice, Bob);
        await shown;
    }

    [Fact]
    public async Task While_Redis_is_away_what_was_known_stays_and_the_own_file_hides_at_once()
    {
        using var log = new WarningLog<ClusterDirectory>();
        var other = await StartAsync("other.yml", [Hiding, Bob, Carol], log);
        await SayAsync(Alice, Bob, Carol);
        await SeesAsync(member.Directory, IsHidden);
        await HappensAsync(member.Directory.RefreshAsync(Stop)); // it has said so
        await HappensAsync(other.Directory.RefreshAsync(Stop));
        await redis.KillAsync();
        while (!(await HappensAsync(log.Lines.ReadAsync(Stop).AsTask())).Contains("can't be asked", StringComparison.Ordinal))
        {
        }

        await SayAsync(Alice, Bob, Carol with { Rules = BlackWhiteRules.HiddenFromAll });
        Assert.True(IsHidden(await HappensAsync(member.Directory.RefreshAsync(Stop))));
        Assert.False(member.Directory.Current.Judge(Carol.Uid, Bob.Uid).IsVisible);
        Assert.True(other.Directory.Current.Judge(Carol.Uid, Bob.Uid).IsVisible); // it can't know
        Assert.Contains("event 500", other.Directory.Trouble, StringComparison.Ordinal);

        await redis.StartAgainAsync(); // with nothing
        await SeesAsync(other.Directory, snapshot => !snapshot.Judge(Carol.Uid, Bob.Uid).IsVisible);
        Assert.True(IsHidden(member.Directory.Current));
    }

    [Fact]
    public async Task What_is_no_directory_file_hides_nobody_until_it_is_one()
    {
        using var log = new WarningLog<ClusterDirectory>();
        await SayAsync(Alice, Bob);
        await SeesAsync(member.Directory, IsShown);
        await HappensAsync(member.Directory.RefreshAsync(Stop)); // it has said so
        var careful = await StartAsync("careful.yml", [Alice, Bob], log);
        await HappensAsync(careful.Directory.RefreshAsync(Stop));
        var utf8 = System.Text.Encoding.UTF8.GetBytes(FileDirectoryTests.Yaml([Hiding, Bob]));
        var hash = DirectoryFile.HashOf(utf8);
        await redis.Commands.HashSetAsync($"{Prefix}:directories", "nobody", "nothing");
        foreach (var (count, garbage) in ((byte[][])[[1, 2, 3], ZippedFile.Zip([1, 2, 3]), ZippedFile.Zip([.. utf8, 10])]).Index())
        {
            await redis.Commands.StringSetAsync($"{Prefix}:directory:{hash}", garbage);
            await redis.Commands.HashSetAsync($"{Prefix}:directories", "somebody", $"{hash} {count}");
            Assert.True(IsShown(await HappensAsync(careful.Directory.RefreshAsync(Stop))));
        }

        Assert.Contains("can't be read", await HappensAsync(log.Lines.ReadAsync(Stop).AsTask()), StringComparison.Ordinal);
        Assert.Contains("event 5006", careful.Directory.Trouble, StringComparison.Ordinal);
        await redis.Commands.StringSetAsync($"{Prefix}:directory:{hash}", ZippedFile.Zip(utf8));
        await redis.Commands.HashSetAsync($"{Prefix}:directories", "somebody", $"{hash} 3");
        Assert.True(IsHidden(await HappensAsync(careful.Directory.RefreshAsync(Stop))));
        Assert.Contains("differ", await HappensAsync(log.Lines.ReadAsync(Stop).AsTask()), StringComparison.Ordinal);
        await SeesAsync(careful.Directory, IsShown); // somebody says nothing more
    }

    [Fact]
    public async Task A_refresh_does_not_take_a_failure_from_before_it_for_its_answer()
    {
        using var log = new WarningLog<ClusterDirectory>();
        await redis.Server.ExecuteAsync("ACL", "SETUSER", "member", "on", ">secret", "allkeys", "+@all");
        var other = await StartAsync("other.yml", [Alice, Bob], log, new RedisOptions { Port = redis.Port, User = "member", Password = new Secret("secret") });
        await SayAsync(Alice, Bob);
        await SeesAsync(other.Directory, IsShown);
        await redis.Server.ExecuteAsync("ACL", "SETUSER", "member", "resetkeys");
        while (!(await HappensAsync(log.Lines.ReadAsync(Stop).AsTask())).Contains("can't be asked", StringComparison.Ordinal))
        {
        }

        await SayAsync(Hiding, Bob);
        await HappensAsync(member.Directory.RefreshAsync(Stop)); // it has said so
        Assert.True(IsShown(await HappensAsync(other.Directory.RefreshAsync(Stop)))); // it can't know
        await redis.Server.ExecuteAsync("ACL", "SETUSER", "member", "allkeys");
        Assert.True(IsHidden(await HappensAsync(other.Directory.RefreshAsync(Stop))));
    }

    [Fact]
    public async Task A_member_goes_on_saying_its_word_while_it_reads_the_file_of_another()
    {
        const int Words = 10;
        await SayAsync(Alice, Bob);
        await SeesAsync(member.Directory, IsShown);
        var other = await StartAsync("other.yml", [Hiding, Bob, .. Enumerable.Range(0, 20_000).Select(i => Person($"user{i}"))]); // some tenths of a second at least
        var hidden = SeesAsync(member.Directory, IsHidden);
        List<Task> refreshes = [];
        HashSet<MemberSaying> said = []; // by the member, since the other one did
        while (!hidden.IsCompleted && said.Count < Words)
        {
            refreshes.Add(member.Directory.RefreshAsync(Stop)); // has it say its word at once
            var sayings = (await redis.Commands.HashGetAllAsync($"{Prefix}:directories")).Select(entry => MemberSaying.TryParse(entry.Value.ToString(), out var saying) ? saying : default).ToLookup(saying => saying.Hash);
            if (sayings.Contains(other.File.File.Hash) && !hidden.IsCompleted)
            {
                said.UnionWith(sayings[member.File.File.Hash]);
            }
        }

        Assert.Equal(Words, said.Count);
        await hidden;
        await Task.WhenAll(refreshes).WaitAsync(TimeSpan.FromSeconds(30), Stop);
    }

    [Fact]
    public async Task The_rights_that_the_document_names_are_enough()
    {
        string[] rights = ["~statusd:cluster:*", "+@read", "+@write", "+@connection"]; // the commands are those of the store
        Assert.Contains($"`{rights[0]}`", await System.IO.File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "operations.md"), Stop), StringComparison.Ordinal);
        await redis.Server.ExecuteAsync("ACL", ["SETUSER", "member", "on", ">secret", .. rights]);
        var other = await StartAsync("other.yml", [Hiding, Bob], log: null, new RedisOptions { Port = redis.Port, User = "member", Password = new Secret("secret") });
        await SayAsync(Alice, Bob);
        await SeesAsync(member.Directory, IsHidden);
        await HappensAsync(member.Directory.RefreshAsync(Stop)); // it has said so
        await HappensAsync(other.Directory.RefreshAsync(Stop));
        Assert.Contains("differ", other.Directory.Trouble, StringComparison.Ordinal);
    }

    private protected override ISubscriberDirectory Followed => member.Directory;

    private protected override Task SayAsync(params Subscriber[] subscribers) => member.SayAsync(subscribers);

    private protected override Task EmptyAsync() => System.IO.File.WriteAllTextAsync(member.Path, "", Stop);

    private protected override Task BreakAsync()
    {
        System.IO.File.Delete(member.Path);
        return Task.CompletedTask;
    }

    private protected override Task MendAsync(params Subscriber[] subscribers) => SayAsync(subscribers);

    private protected override Task<T> HappensAsync<T>(Task<T> something) => something.WaitAsync(TimeSpan.FromSeconds(30), Stop);

    private static bool IsHidden(DirectorySnapshot snapshot) => snapshot.TryGet(Bob.Uid, out _) && !snapshot.Judge(Alice.Uid, Bob.Uid).IsVisible;

    private static bool IsShown(DirectorySnapshot snapshot) => snapshot.TryGet(Bob.Uid, out _) && snapshot.Judge(Alice.Uid, Bob.Uid).IsVisible;

    private async Task<Member> StartAsync(string file, Subscriber[] subscribers, ILogger<ClusterDirectory>? log = null, RedisOptions? options = null)
    {
        var path = folder.Write(file, FileDirectoryTests.Yaml(subscribers));
        Assert.True(DirectoryFile.TryRead(path, new DirectoryPolicy(), 1, out var first, out _));
        var followed = new FileDirectory(path, first, TimeProvider.System, services.GetRequiredService<IMeterFactory>(), NullLogger<FileDirectory>.Instance);
        var shared = new SharedDirectoryFiles(options ?? redis.Options, Prefix);
        var started = new Member(path, followed, shared, new ClusterDirectory(followed, shared, TimeProvider.System, log ?? NullLogger<ClusterDirectory>.Instance));
        open.Add(started);
        await followed.StartAsync(Stop);
        await started.Directory.StartAsync(Stop);
        return started;
    }

    private sealed record Member(string Path, FileDirectory File, SharedDirectoryFiles Shared, ClusterDirectory Directory) : IAsyncDisposable
    {
        public async Task SayAsync(params Subscriber[] subscribers)
        {
            await System.IO.File.WriteAllTextAsync(Path + ".new", FileDirectoryTests.Yaml(subscribers));
            System.IO.File.Move(Path + ".new", Path, overwrite: true);
        }

        public async ValueTask DisposeAsync()
        {
            await Directory.StopAsync(CancellationToken.None);
            await File.StopAsync(CancellationToken.None);
            Directory.Dispose();
            File.Dispose();
            await Shared.DisposeAsync();
        }
    }
}
