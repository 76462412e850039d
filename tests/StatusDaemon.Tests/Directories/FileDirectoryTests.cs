using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StatusDaemon.Privileges;
using StatusDaemon.Settings;

namespace StatusDaemon.Directories;

/// <summary>Real files; the clock that decides when to look at them is moved by the test.</summary>
public sealed class FileDirectoryTests : SubscriberDirectoryContract, IAsyncLifetime
{
    private readonly TempFolder folder = new();
    private readonly FakeTimeProvider clock = new();
    private readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private string path = "";
    private FileDirectory directory = null!;

    public async ValueTask InitializeAsync()
    {
        path = folder.Write("directory.yml", Yaml([Alice]));
        directory = await FollowAsync(path);
    }

    public async ValueTask DisposeAsync()
    {
        await directory.StopAsync(CancellationToken.None);
        directory.Dispose();
        await services.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task A_change_in_place_is_in_force_at_once_for_every_follower()
    {
        await using var one = directory.FollowAsync(Stop).GetAsyncEnumerator(Stop);
        await using var other = directory.FollowAsync(Stop).GetAsyncEnumerator(Stop);
        Assert.Equal("alice", Names(await NextAsync(one)));
        Assert.Equal("alice", Names(await NextAsync(other)));

        await File.WriteAllTextAsync(path, People("alice", "bob"), Stop);
        var snapshot = await NextAsync(one);
        Assert.Equal(("alice bob", 2), (Names(snapshot), snapshot.Revision));
        Assert.Same(snapshot, await NextAsync(other));
        Assert.Same(snapshot, directory.Current);
    }

    [Fact]
    public async Task A_file_that_is_renamed_over_it_is_seen()
    {
        File.Move(folder.Write("new.yml", People("bob")), path, overwrite: true);
        Assert.Equal("bob", Names(await RefreshAsync()));
    }

    [Fact]
    public async Task A_file_with_the_same_length_and_time_is_seen()
    {
        var time = File.GetLastWriteTimeUtc(path);
        File.SetLastWriteTimeUtc(folder.Write("new.yml", People("carol")), time);
        File.SetLastWriteTimeUtc(path, time);
        File.Move(folder["new.yml"], path, overwrite: true);
        Assert.Equal(time, File.GetLastWriteTimeUtc(path));
        Assert.Equal("carol", Names(await RefreshAsync()));
    }

    [Fact]
    public async Task A_file_that_is_deleted_and_made_anew_is_seen_and_meanwhile_the_last_one_holds()
    {
        File.Delete(path);
        Assert.Equal("alice", Names(await RefreshAsync()));
        Assert.Contains("there is no such file", directory.LastProblem, StringComparison.Ordinal);

        await File.WriteAllTextAsync(path, People("bob"), Stop);
        Assert.Equal("bob", Names(await RefreshAsync()));
        Assert.Null(directory.LastProblem);
    }

    [Fact]
    public async Task A_symbolic_link_that_is_turned_is_seen()
    {
        folder.Write("a.yml", People("alice"));
        folder.Write("b.yml", People("bob"));
        File.CreateSymbolicLink(folder["link.yml"], folder["a.yml"]);
        using var linked = await FollowAsync(folder["link.yml"]);
        File.CreateSymbolicLink(folder["next"], folder["b.yml"]);
        File.Move(folder["next"], folder["link.yml"], overwrite: true);
        Assert.Equal("bob", Names(await PumpAsync(linked.RefreshAsync(Stop))));
        await linked.StopAsync(Stop);
    }

    [Fact]
    public async Task A_bad_file_changes_nothing_and_its_repair_does()
    {
        await File.WriteAllTextAsync(path, "subscribers:\n- {uid: u}\n", Stop);
        Assert.Equal("alice", Names(await RefreshAsync()));
        Assert.Equal($"{path}:2: the subscriber has no 'dname'", directory.LastProblem);

        await File.WriteAllTextAsync(path, People("bob"), Stop);
        Assert.Equal("bob", Names(await RefreshAsync()));
        Assert.Null(directory.LastProblem);
    }

    [Fact]
    public async Task Half_a_file_is_never_read_while_it_is_written()
    {
        await using var follower = directory.FollowAsync(Stop).GetAsyncEnumerator(Stop);
        await NextAsync(follower);
        using var reloads = Reloads();
        foreach (var length in Enumerable.Range(1, 20))
        {
            // However far the loop is behind, it never finds the same half at two looks that are 100 ms apart.
            await File.WriteAllTextAsync(path, "subscribers: []" + new string(' ', length), Stop);
            clock.Advance(FileDirectory.Still - TimeSpan.FromMilliseconds(1));
        }

        await File.WriteAllTextAsync(path, People("bob"), Stop);
        Assert.Equal("bob", Names(await NextAsync(follower)));
        Assert.Equal(["accepted 1"], reloads.Seen);
    }

    [Fact]
    public async Task The_same_content_is_no_new_snapshot()
    {
        using var reloads = Reloads();
        var before = directory.Current;
        File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch);
        Assert.Same(before, await RefreshAsync());
        Assert.Equal(["unchanged 1"], reloads.Seen);
    }

    [Fact]
    public async Task Each_reading_is_counted_by_its_result()
    {
        using var reloads = Reloads();
        foreach (var text in (string[])[People("bob"), "", People("carol")])
        {
            await File.WriteAllTextAsync(path, text, Stop);
            await RefreshAsync();
        }

        Assert.Equal(["accepted 1", "refused 1", "accepted 1"], reloads.Seen);
    }

    [Fact]
    public async Task A_refresh_of_an_unchanged_file_needs_no_time() =>
        Assert.Same(directory.Current, await directory.RefreshAsync(Stop).WaitAsync(Stop));

    private protected override ISubscriberDirectory Followed => directory;

    private protected override Task SayAsync(params Subscriber[] subscribers) => File.WriteAllTextAsync(path, Yaml(subscribers), Stop);

    private protected override Task EmptyAsync() => File.WriteAllTextAsync(path, "", Stop);

    private protected override Task BreakAsync()
    {
        File.Delete(path);
        return Task.CompletedTask;
    }

    private protected override Task MendAsync(params Subscriber[] subscribers) => SayAsync(subscribers);

    private protected override Task<T> HappensAsync<T>(Task<T> something) => PumpAsync(something);

    internal static string Yaml(IEnumerable<Subscriber> subscribers) => "subscribers:\n" + string.Concat(subscribers.Select(one =>
        $"- {{uid: {one.Uid}, dname: {one.DName}, name: {one.Name}, numbers: [{List(one.Numbers)}], black: [{List(one.Rules.Black)}], white: [{List(one.Rules.White)}]}}\n"));

    private static string List<T>(IEnumerable<T> entries) => string.Join(", ", entries.Select(entry => $"\"{entry}\""));

    private static string People(params string[] names) =>
        "subscribers:\n" + string.Concat(names.Select(name => $"- {{uid: {name}, dname: {name}@A}}\n"));

    private ReloadResults Reloads() => new(services.GetRequiredService<IMeterFactory>());

    private async Task<FileDirectory> FollowAsync(string file)
    {
        Assert.True(DirectoryFile.TryRead(file, new DirectoryPolicy(), 1, out var first, out _));
        var follower = new FileDirectory(file, first, clock, services.GetRequiredService<IMeterFactory>(), NullLogger<FileDirectory>.Instance);
        await follower.StartAsync(Stop);
        return follower;
    }

    private async Task<DirectorySnapshot> NextAsync(IAsyncEnumerator<DirectorySnapshot> follower)
    {
        Assert.True(await PumpAsync(follower.MoveNextAsync().AsTask()));
        return follower.Current;
    }

    /// <summary>Lets time pass until something has happened.</summary>
    private async Task<T> PumpAsync<T>(Task<T> happens)
    {
        while (!happens.IsCompleted)
        {
            Stop.ThrowIfCancellationRequested();
            clock.Advance(FileDirectory.Interval);
            await Task.Yield();
        }

        return await happens;
    }
}
