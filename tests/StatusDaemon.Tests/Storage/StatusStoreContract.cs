using CsCheck;
using StatusDaemon.Names;
using StatusDaemon.Statuses;

namespace StatusDaemon.Storage;

/// <summary>What <see cref="IStatusStore"/> promises; each kind of store runs it for real.</summary>
public abstract class StatusStoreContract
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Opens the store of this test; what an earlier opening wrote is in it.</summary>
    private protected abstract Task<IStatusStore> OpenAsync();

    [Fact]
    public async Task Every_field_comes_back_as_it_was_written()
    {
        await using var store = await OpenAsync();
        var incarnation = ulong.MaxValue;
        await StoredStatuses.Lists.SampleAsync(
            async records =>
            {
                // Each sample replaces the last one's.
                var batch = StoredStatuses.In(incarnation--, records);
                await store.WriteAsync(batch, Stop);
                return Same(await store.ReadAsync([.. batch.Select(stored => stored.Uid)], Stop), NewestOf(batch));
            },
            iter: 60,
            threads: 1);
    }

    [Fact]
    public async Task Newer_wins_in_whatever_order_and_batches_records_come()
    {
        await using var store = await OpenAsync();
        var incarnation = ulong.MaxValue;
        var orders =
            from records in StoredStatuses.Lists
            from shuffled in Gen.Shuffle(records.ToArray())
            from size in Gen.Int[1, records.Count]
            select shuffled.Chunk(size).ToArray();
        await orders.SampleAsync(
            async batches =>
            {
                incarnation--;
                foreach (var batch in batches)
                {
                    await store.WriteAsync(StoredStatuses.In(incarnation, batch), Stop);
                }

                var all = StoredStatuses.In(incarnation, batches.SelectMany(batch => batch));
                return Same(await store.ReadAsync([.. all.Select(stored => stored.Uid)], Stop), NewestOf(all));
            },
            iter: 30,
            threads: 1);
    }

    [Fact]
    public async Task A_record_of_another_incarnation_replaces_what_is_there()
    {
        await using var store = await OpenAsync();
        var truth = StoredStatuses.Of("uid-1", incarnation: 2, epoch: 1, seq: 1);

        await store.WriteAsync([StoredStatuses.Of("uid-1", incarnation: ulong.MaxValue, epoch: 9, seq: 9)], Stop);
        await store.WriteAsync([truth], Stop);

        Assert.Equal([truth], await store.ReadAsync([truth.Uid], Stop));
    }

    [Fact]
    public async Task What_was_written_is_there_after_a_reopening_and_the_incarnation_stays()
    {
        var written = StoredStatuses.Of("uid-1", 7, 3, 4);
        ulong incarnation;
        await using (var store = await OpenAsync())
        {
            incarnation = store.Incarnation;
            await store.WriteAsync([written], Stop);
        }

        await using var reopened = await OpenAsync();
        Assert.NotEqual(0UL, incarnation);
        Assert.Equal(incarnation, reopened.Incarnation);
        Assert.Equal([written], await reopened.ReadAsync([written.Uid], Stop));
    }

    [Fact]
    public async Task Epochs_grow_past_each_other_past_above_and_past_a_reopening()
    {
        long first, raised;
        await using (var store = await OpenAsync())
        {
            first = await store.NextEpochAsync(0, Stop);
            raised = await store.NextEpochAsync(1_000_000, Stop);
        }

        await using var reopened = await OpenAsync();
        var after = await reopened.NextEpochAsync(5, Stop);
        Assert.True(first >= 1);
        Assert.True(raised > 1_000_000);
        Assert.True(after > raised);
    }

    [Fact]
    public async Task Concurrent_callers_get_different_epochs_that_are_above_what_each_asked()
    {
        await using var store = await OpenAsync();
        var before = await store.NextEpochAsync(0, Stop);

        var above = Enumerable.Range(0, 64).Select(caller => (long)caller * 3).ToArray();
        var epochs = await Task.WhenAll(above.Select(epoch => Task.Run(() => store.NextEpochAsync(epoch, Stop))));

        Assert.Equal(epochs.Length, epochs.Distinct().Count());
        Assert.All(epochs, epoch => Assert.True(epoch > before));
        Assert.All(epochs.Zip(above), pair => Assert.True(pair.First > pair.Second));
        Assert.True(await store.NextEpochAsync(0, Stop) > epochs.Max());
    }

    [Theory, InlineData(-1), InlineData(long.MaxValue)]
    public async Task An_epoch_above_what_cannot_be_is_refused(long above)
    {
        await using var store = await OpenAsync();
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => store.NextEpochAsync(above, Stop));
    }

    [Fact]
    public async Task A_scan_brings_every_record_once_oldest_first()
    {
        await using var store = await OpenAsync();
        var written = Enumerable.Range(0, 3_000).Select(i => StoredStatuses.Of($"uid-{i}", 5, 1 + (i % 7), 1 + (i * 7919 % 3_000))).ToList();
        await store.WriteAsync(written, Stop);

        var scanned = await store.ScanAsync(Stop).ToListAsync(Stop);

        Assert.Equal(written.OrderBy(stored => stored.Record.Version.Epoch).ThenBy(stored => stored.Record.Version.Seq), scanned);
    }

    [Fact]
    public async Task A_scan_does_not_hold_up_writers()
    {
        await using var store = await OpenAsync();
        await store.WriteAsync([.. Enumerable.Range(1, 3_000).Select(i => StoredStatuses.Of($"uid-{i}", 5, 1, i))], Stop);

        await using var scan = store.ScanAsync(Stop).GetAsyncEnumerator(Stop);
        Assert.True(await scan.MoveNextAsync());
        var newer = StoredStatuses.Of("uid-1", 5, 2, 1);
        await store.WriteAsync([newer], Stop);

        Assert.Equal([newer], await store.ReadAsync([newer.Uid], Stop));
    }

    [Fact]
    public async Task A_thousand_records_are_read_by_name_and_unknown_names_are_left_out()
    {
        await using var store = await OpenAsync();
        var written = Enumerable.Range(1, 2_500).Select(i => StoredStatuses.Of($"uid-{i}", 5, 1, i)).ToList();
        await store.WriteAsync(written, Stop);

        var asked = written.Where((_, i) => i % 2 == 0).ToList();
        var found = await store.ReadAsync([.. asked.Select(stored => stored.Uid), StoredStatuses.Uid("nobody")], Stop);

        Assert.Equal(asked.ToHashSet(), found.ToHashSet());
        Assert.Equal(asked.Count, found.Count);
        Assert.Empty(await store.ReadAsync([], Stop));
    }

    [Fact]
    public async Task Batches_of_concurrent_callers_all_arrive()
    {
        await using var store = await OpenAsync();
        var batches = Enumerable.Range(0, 40).Select(caller => Enumerable.Range(1, 25).Select(i => StoredStatuses.Of($"uid-{caller}-{i}", 5, caller + 1, i)).ToList()).ToList();

        await Task.WhenAll(batches.Select(batch => Task.Run(() => store.WriteAsync(batch, Stop))));

        Assert.Equal(1_000, await store.ScanAsync(Stop).CountAsync(Stop));
    }

    [Fact]
    public async Task A_record_that_was_never_accepted_is_refused_with_its_whole_batch()
    {
        await using var store = await OpenAsync();
        var good = StoredStatuses.Of("uid-1", 5, 1, 1);

        await Assert.ThrowsAsync<ArgumentException>(() => store.WriteAsync([good, new StoredStatus(StoredStatuses.Uid("uid-2"), default)], Stop));

        Assert.Empty(await store.ReadAsync([good.Uid], Stop));
    }

    [Fact]
    public async Task A_call_that_was_cancelled_before_it_began_does_nothing_and_the_store_goes_on()
    {
        await using var store = await OpenAsync();
        var cancelled = new CancellationToken(canceled: true);
        var stored = StoredStatuses.Of("uid-1", 5, 1, 1);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.WriteAsync([stored], cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.NextEpochAsync(0, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.ReadAsync([stored.Uid], cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.ScanAsync(cancelled).CountAsync(Stop));

        Assert.Empty(await store.ReadAsync([stored.Uid], Stop));
    }

    [Fact]
    public async Task A_write_that_is_cancelled_on_its_way_has_happened_whole_or_not_at_all()
    {
        await using var store = await OpenAsync();
        for (var round = 1; round <= 20; round++)
        {
            using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);
            var batch = Enumerable.Range(1, 50).Select(i => StoredStatuses.Of($"uid-{i}", 5, round, i)).ToList();

            Task writing = store.WriteAsync(batch, cancel.Token);
            var sibling = store.WriteAsync([StoredStatuses.Of("sibling", 5, round, 1)], Stop);
            await cancel.CancelAsync();
            await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            await sibling;

            var epochs = (await store.ReadAsync([.. batch.Select(stored => stored.Uid)], Stop)).Select(stored => stored.Record.Version.Epoch).Distinct();
            Assert.True(epochs.Count() <= 1);
        }
    }

    [Fact]
    public async Task Disposing_finishes_what_was_asked_and_later_calls_say_that_it_is_gone()
    {
        var written = StoredStatuses.Of("uid-1", 5, 1, 1);
        var store = await OpenAsync();
        var writing = store.WriteAsync([written], Stop);
        await store.DisposeAsync();
        await writing;

        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.WriteAsync([written], Stop));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.NextEpochAsync(0, Stop));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.ReadAsync([written.Uid], Stop));

        await using var reopened = await OpenAsync();
        Assert.Equal([written], await reopened.ReadAsync([written.Uid], Stop));
    }

    private static Dictionary<Uid, StatusRecord> NewestOf(IEnumerable<StoredStatus> records) => records
        .GroupBy(stored => stored.Uid)
        .ToDictionary(group => group.Key, group => group.Select(stored => stored.Record).Aggregate((newest, next) => next.Version.IsNewerThan(newest.Version) ? next : newest));

    private static bool Same(IReadOnlyList<StoredStatus> read, Dictionary<Uid, StatusRecord> expected) =>
        read.All(stored => expected[stored.Uid] == stored.Record) && read.Select(stored => stored.Uid).ToHashSet().SetEquals(expected.Keys);
}
