using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StatusDaemon.Privileges;
using StatusDaemon.Settings;

namespace StatusDaemon.Directories;

/// <summary>Real files; the clock that decides when to look at them is moved by the test.</summary>
public sealed class FileDirectoryTests : IAsyncLifetime
{
    private readonly TempFolder folder = new();
    private readonly FakeTimeProvider clock = new();
    private readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly CancellationToken stop = TestContext.Current.CancellationToken;
    private string path = "";
    private FileDirectory directory = null!;

    public async ValueTask InitializeAsync()
    {
        path = folder.Write("directory.yml", People("alice"));
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
        await using var one = directory.FollowAsync(stop).GetAsyncEnumerator(stop);
        await using var other = directory.FollowAsync(stop).GetAsyncEnumerator(stop);
        Assert.Equal("alice", Names(await NextAsync(one)));
        Assert.Equal("alice", Names(await NextAsync(other)));

        await File.WriteAllTextAsync(path, People("alice", "bob"), stop);
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

        await File.WriteAllTextAsync(path, People("bob"), stop);
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
        Assert.Equal("bob", Names(await PumpAsync(linked.RefreshAsync(stop))));
        await linked.StopAsync(stop);
    }

    [Fact]
    public async Task A_bad_file_changes_nothing_and_its_repair_does()
    {
        await File.WriteAllTextAsync(path, "subscribers:\n- {uid: u}\n", stop);
        Assert.Equal("alice", Names(await RefreshAsync()));
        Assert.Equal($"{path}:2: the subscriber has no 'dname'", directory.LastProblem);

        await File.WriteAllTextAsync(path, People("bob"), stop);
        Assert.Equal("bob", Names(await RefreshAsync()));
        Assert.Null(directory.LastProblem);
    }

    [Fact]
    public async Task Half_a_file_is_never_read_while_it_is_written()
    {
        await using var follower = directory.FollowAsync(stop).GetAsyncEnumerator(stop);
        await NextAsync(follower);
        using var reloads = Reloads();
        foreach (var length in Enumerable.Range(1, 20))
        {
            // However far the loop is behind, it never finds the same half at two looks that are 100 ms apart.
            await File.WriteAllTextAsync(path, "subscribers: []" + new string(' ', length), stop);
            clock.Advance(FileDirectory.Still - TimeSpan.FromMilliseconds(1));
        }

        await File.WriteAllTextAsync(path, People("bob"), stop);
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
            await File.WriteAllTextAsync(path, text, stop);
            await RefreshAsync();
        }

        Assert.Equal(["accepted 1", "refused 1", "accepted 1"], reloads.Seen);
    }

    [Fact]
    public async Task A_refresh_of_an_unchanged_file_needs_no_time() =>
        Assert.Same(directory.Current, await directory.RefreshAsync(stop).WaitAsync(stop));

    [Fact]
    public async Task A_slow_follower_gets_the_latest()
    {
        await using var slow = directory.FollowAsync(stop).GetAsyncEnumerator(stop);
        await NextAsync(slow);
        foreach (var name in (string[])["bob", "carol", "dave"])
        {
            await File.WriteAllTextAsync(path, People(name), stop);
            await RefreshAsync();
        }

        Assert.Equal("dave", Names(await NextAsync(slow)));
    }

    [Fact]
    public async Task A_follower_ends_when_it_is_told_to()
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await using var follower = directory.FollowAsync(end.Token).GetAsyncEnumerator(end.Token);
        await NextAsync(follower);
        var next = follower.MoveNextAsync().AsTask();
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
    }

    private static string People(params string[] names) =>
        "subscribers:\n" + string.Concat(names.Select(name => $"- {{uid: {name}, dname: {name}@A}}\n"));

    private static string Names(DirectorySnapshot snapshot) =>
        string.Join(' ', snapshot.Subscribers.Select(subscriber => subscriber.Uid.ToString()).Order(StringComparer.Ordinal));

    private ReloadResults Reloads() => new(services.GetRequiredService<IMeterFactory>());

    private async Task<FileDirectory> FollowAsync(string file)
    {
        Assert.True(DirectoryFile.TryRead(file, new DirectoryPolicy(), 1, out var first, out _));
        var follower = new FileDirectory(file, first, clock, services.GetRequiredService<IMeterFactory>(), NullLogger<FileDirectory>.Instance);
        await follower.StartAsync(stop);
        return follower;
    }

    private Task<DirectorySnapshot> RefreshAsync() => PumpAsync(directory.RefreshAsync(stop));

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
            stop.ThrowIfCancellationRequested();
            clock.Advance(FileDirectory.Interval);
            await Task.Yield();
        }

        return await happens;
    }
}
