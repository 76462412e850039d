using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StatusDaemon.Names;

namespace StatusDaemon.Storage;

public sealed class StatusScanTests : IAsyncLifetime
{
    private const int Shards = 32;

    private readonly string folder = Path.Combine(Path.GetTempPath(), "status-scan-" + Path.GetRandomFileName());
    private WatchedStore store = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        store = new WatchedStore(SqliteStatusStore.Open(Path.Combine(folder, SqliteStatusStore.FileName), NullLogger<SqliteStatusStore>.Instance));
        await store.WriteAsync([.. Enumerable.Range(1, 2_000).Select(i => StoredStatuses.Of($"uid-{i}", 5, 1, i))], Stop);
    }

    public async ValueTask DisposeAsync()
    {
        await store.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Shards_that_ask_in_the_same_moment_share_one_scan_and_each_gets_its_own_records_in_order()
    {
        var clock = new FakeTimeProvider();
        var scan = new StatusScan(store, Shards, clock);

        var loads = Enumerable.Range(0, Shards).Select(shard => scan.LoadAsync(shard, Stop)).ToList();
        Assert.Equal(0, store.Scans);
        clock.Advance(StatusScan.Gather);
        var lists = await Task.WhenAll(loads);

        Assert.Equal(1, store.Scans);
        Assert.Equal(2_000, lists.Sum(list => list.Count));
        for (var shard = 0; shard < Shards; shard++)
        {
            Assert.All(lists[shard], stored => Assert.Equal(shard, ShardOf(stored.Uid)));
            Assert.Equal(lists[shard].OrderBy(stored => stored.Record.Version.Seq), lists[shard]);
        }
    }

    [Fact]
    public async Task A_shard_that_asks_while_a_scan_runs_is_served_by_the_next_and_sees_what_was_written_before_it_asked()
    {
        var scan = new StatusScan(store, Shards, TimeProvider.System);
        var old = StoredStatuses.Of("uid-1", 5, 1, 1);
        var shard = ShardOf(old.Uid);
        store.HoldScansAfterTheFirstRecord();

        var early = scan.LoadAsync(shard, Stop);
        await store.ScanHeld;
        var newer = StoredStatuses.Of("uid-1", 5, 2, 1);
        await store.WriteAsync([newer], Stop);
        var late = scan.LoadAsync(shard, Stop);
        var sibling = scan.LoadAsync(shard, Stop);
        store.ReleaseScans();

        Assert.Contains(old, await early);
        Assert.Contains(newer, await late);
        Assert.Same(await late, await sibling);
        Assert.Equal(2, store.Scans);
    }

    [Fact]
    public async Task Whoever_writes_and_then_loads_finds_its_own_write_whatever_others_do_meanwhile()
    {
        const int Callers = 12, Rounds = 15;
        var scan = new StatusScan(store, Shards, TimeProvider.System);

        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            for (var round = 1; round <= Rounds; round++)
            {
                var written = StoredStatuses.Of($"caller-{caller}", 5, 1 + round, 1);
                await store.WriteAsync([written], Stop);
                Assert.Contains(written, await scan.LoadAsync(ShardOf(written.Uid), Stop));
            }
        })));

        // With no sharing at all each load would have its own.
        Assert.InRange(store.Scans, Rounds, (Callers * Rounds) - 1);
        Assert.False(store.ScansOverlapped);
    }

    [Fact]
    public async Task A_shard_that_gives_up_leaves_the_others_their_scan()
    {
        var scan = new StatusScan(store, Shards, TimeProvider.System);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        store.HoldScansAfterTheFirstRecord();
        var leaving = scan.LoadAsync(0, cancel.Token);
        var staying = scan.LoadAsync(1, Stop);
        await store.ScanHeld;

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        store.ReleaseScans();

        Assert.NotEmpty(await staying);
    }

    [Fact]
    public async Task A_scan_that_nobody_waits_for_is_given_up_and_the_next_one_is_not_harmed()
    {
        var scan = new StatusScan(store, Shards, TimeProvider.System);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        store.HoldScansAfterTheFirstRecord();
        var leaving = scan.LoadAsync(0, cancel.Token);
        await store.ScanHeld;

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        await store.ScanGivenUp;
        store.ReleaseScans();

        Assert.NotEmpty(await scan.LoadAsync(0, Stop));
    }

    [Fact]
    public async Task A_scan_that_nobody_waits_for_any_more_does_not_begin()
    {
        var scan = new StatusScan(store, Shards, TimeProvider.System);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        store.HoldScansAfterTheFirstRecord();
        var running = scan.LoadAsync(0, Stop);
        await store.ScanHeld;

        var leaving = scan.LoadAsync(0, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        var next = scan.LoadAsync(0, Stop);
        store.ReleaseScans();

        Assert.NotEmpty(await running);
        Assert.NotEmpty(await next);
        Assert.Equal(2, store.Scans);
    }

    [Fact]
    public async Task A_scan_that_fails_fails_for_all_who_shared_it_and_the_next_call_tries_again()
    {
        var scan = new StatusScan(store, Shards, TimeProvider.System);
        store.FailNextScan = new StoreException("the disk is away");
        var loads = Enumerable.Range(0, 4).Select(shard => scan.LoadAsync(shard, Stop)).ToList();

        foreach (var load in loads)
        {
            Assert.Same(store.FailNextScan, await Assert.ThrowsAsync<StoreException>(() => load));
        }

        store.FailNextScan = null;
        Assert.NotEmpty(await scan.LoadAsync(0, Stop));
    }

    [Fact]
    public async Task Lists_are_let_go_once_their_shards_have_them()
    {
        var scan = new StatusScan(store, Shards, TimeProvider.System);
        var list = await LoadAndForgetAsync(scan);
        await Task.Yield(); // The frames that brought the list may be below us on this stack.

        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();

        Assert.False(list.TryGetTarget(out _));
        GC.KeepAlive(scan);
    }

    [Theory, InlineData(-1), InlineData(Shards)]
    public async Task A_shard_that_is_not_there_is_refused(int shard) =>
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => new StatusScan(store, Shards, TimeProvider.System).LoadAsync(shard, Stop));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task<WeakReference<object>> LoadAndForgetAsync(StatusScan scan) => new(await scan.LoadAsync(0, Stop));

    private static int ShardOf(Uid uid) => (int)(uid.Stable % Shards);
}
