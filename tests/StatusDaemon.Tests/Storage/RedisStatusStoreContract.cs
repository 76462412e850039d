using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;
using StatusDaemon.Names;
using StatusDaemon.Redis;
using StatusDaemon.Statuses;

namespace StatusDaemon.Storage;

/// <summary>What the store in Redis promises beside the contract of every store: each way of setting Redis up runs it for real.</summary>
public abstract class RedisStatusStoreContract : StatusStoreContract, IAsyncLifetime
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>How the daemon reaches it.</summary>
    private protected abstract RedisOptions Options { get; }

    /// <summary>Another program's connection.</summary>
    private protected abstract IDatabase Others { get; }

    /// <inheritdoc/>
    public abstract ValueTask InitializeAsync();

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();

    [Fact]
    public async Task What_other_programs_write_comes_out_once_and_what_we_write_does_not()
    {
        await using var store = await OpenAsync();
        await store.NextEpochAsync(0, Stop);
        await store.WriteAsync([.. Enumerable.Range(1, 200).Select(i => StoredStatuses.Of($"uid-{i}", store.Incarnation, 1, i))], Stop);
        await Task.WhenAll(Enumerable.Range(1, 50).Select(i => Others.StringSetAsync($"status:uid-{i}", "4")));

        var seen = new List<ExternalStatus>();
        await WaitAsync(store, seen, () => seen.Count >= 50);
        await Others.StringSetAsync("status:last", "1");
        await WaitAsync(store, seen, () => seen[^1].Uid.ToString() == "last");

        Assert.Equal(51, seen.Count);
        Assert.All(seen.Take(50), status => Assert.Equal((Status.Incoming, SourceKind.External), (status.Status, status.Source.Kind)));
        Assert.Equal(51, seen.Select(status => status.Uid).Distinct().Count());
    }

    [Fact]
    public async Task A_record_is_not_written_over_what_another_program_wrote_unless_that_was_refused()
    {
        await using var store = await OpenAsync();
        var uid = StoredStatuses.Uid("uid-1");
        var before = StoredStatuses.Of("uid-1", 5, 1, 1);
        var after = StoredStatuses.Of("uid-1", 5, 1, 2);
        await store.WriteAsync([before], Stop);

        // Its bell may be heard before or after the write: either way the other program's value is there and is handed over.
        await Others.StringSetAsync("status:uid-1", """{"status":7,"timestamp":18}""");
        var overtaken = await store.WriteAsync([after], Stop);
        var seen = new List<ExternalStatus>();
        await WaitAsync(store, seen, () => seen.Count > 0);
        Assert.Equal((Status.Forwarding, "18"), (seen[0].Status, seen[0].Timestamp.ToString()));
        if (overtaken.Count > 0)
        {
            Assert.Equal([after], overtaken);
            Assert.Equal("""{"status":7,"timestamp":18}""", (string?)await Others.StringGetAsync("status:uid-1"));
            Assert.Empty(await store.WriteAsync([after], Stop));
        }

        Assert.Equal([after], await store.ReadAsync([uid], Stop));
    }

    [Fact]
    public async Task A_value_of_ours_that_another_program_writes_again_is_its_doing()
    {
        await using var store = await OpenAsync();
        await store.NextEpochAsync(0, Stop);
        await store.WriteAsync([StoredStatuses.Of("uid-1", store.Incarnation, 1, 1) with { }], Stop);
        var old = await Others.StringGetAsync("status:uid-1");
        var newer = StoredStatuses.Of("uid-1", store.Incarnation, 1, 2);
        await store.WriteAsync([newer with { Record = newer.Record with { Status = Status.Absent } }], Stop);

        await Others.StringSetAsync("status:uid-1", old);

        var seen = new List<ExternalStatus>();
        await WaitAsync(store, seen, () => seen.Count > 0);
        Assert.Equal(Status.Busy, Assert.Single(seen).Status);
    }

    [Fact]
    public async Task A_value_with_a_copied_version_is_read_as_another_programs_also_by_a_store_that_opens()
    {
        await using (var store = await OpenAsync())
        {
            await store.NextEpochAsync(0, Stop);
            await store.WriteAsync([StoredStatuses.Of("uid-1", store.Incarnation, 1, 1)], Stop);
        }

        var ours = (string)(await Others.StringGetAsync("status:uid-1"))!;
        await Others.StringSetAsync("status:uid-1", ours.Replace("\"status\":2", "\"status\":6", StringComparison.Ordinal));

        await using var reopened = await OpenAsync();
        await reopened.NextEpochAsync(0, Stop);
        var read = Assert.Single(await reopened.ReadAsync([StoredStatuses.Uid("uid-1")], Stop)).Record;
        Assert.True(read.IsUnversioned);
        Assert.Equal((Status.Absent, SourceKind.External), (read.Status, read.Source.Kind));
        Assert.True(Assert.Single(await reopened.ScanAsync(Stop).ToListAsync(Stop)).Record.IsUnversioned);
    }

    [Fact]
    public async Task A_deleted_key_is_unknown()
    {
        await using var store = await OpenAsync();
        await store.WriteAsync([StoredStatuses.Of("uid-1", 5, 1, 1), StoredStatuses.Of("uid-2", 5, 1, 2)], Stop);
        await Others.KeyDeleteAsync("status:uid-1");
        var seen = new List<ExternalStatus>();
        await WaitAsync(store, seen, () => seen.Count > 0);
        Assert.Equal(("uid-1", Status.Unknown), (seen[0].Uid.ToString(), Assert.Single(seen).Status));

        Assert.Equal(new EndedValue(new StatusVersion(5, 1, 1), IsForeign: false), seen[0].End);
    }

    [Fact]
    public async Task Of_a_value_that_is_too_long_only_the_beginning_is_read_and_the_next_status_replaces_it()
    {
        await using var store = await OpenAsync();
        var uid = StoredStatuses.Uid("uid-1");
        foreach (var value in (string[])[new string('x', 1_000_000), "", "\"" + new string(' ', 9_000) + "\""])
        {
            await Others.StringSetAsync("status:uid-1", value);
            Assert.Empty(await store.ReadAsync([uid], Stop));
            var record = StoredStatuses.Of("uid-1", 5, 1, value.Length + 1);
            await WriteUntilTakenAsync(store, [record]);
            Assert.Equal([record], await store.ReadAsync([uid], Stop));
            await Others.KeyDeleteAsync("status:uid-1");
            await WaitForAsync(store, "uid-1");
        }
    }

    [Fact]
    public async Task An_epoch_that_somebody_has_lowered_makes_no_status_look_old()
    {
        long before;
        await using (var store = await OpenAsync())
        {
            before = await store.NextEpochAsync(0, Stop);
        }

        await Others.HashSetAsync("statusd:store", "epoch", 1);
        await using var reopened = await OpenAsync();
        Assert.InRange(await reopened.NextEpochAsync(0, Stop), before, long.MaxValue);
    }

    [Fact]
    public async Task What_is_written_over_a_key_that_has_ended_is_newer_than_its_end()
    {
        await using var store = await OpenAsync();
        await store.WriteAsync([StoredStatuses.Of("uid-2", 5, 1, 2)], Stop);
        await Others.KeyDeleteAsync("status:uid-2");
        var newer = StoredStatuses.Of("uid-2", 5, 1, 3);
        Assert.Empty(await store.WriteAsync([newer], Stop));
        Assert.Equal([newer], await store.ReadAsync([newer.Uid], Stop));

        // If its end rang first it was told, and says of which value it was the end.
        Assert.All(Enumerable.Range(0, 4).SelectMany(store.External.Take), ended => Assert.Equal(new EndedValue(new StatusVersion(5, 1, 2), IsForeign: false), ended.End));
    }

    [Fact]
    public async Task A_database_that_was_emptied_is_noticed_and_takes_everything_again()
    {
        await using var store = await OpenAsync();
        var written = Enumerable.Range(1, 300).Select(i => StoredStatuses.Of($"uid-{i}", 5, 1, i)).ToList();
        await store.WriteAsync(written, Stop);
        var incarnation = store.Incarnation;
        await FlushAsync();
        while (store.Losses == 0 || store.Trouble is not null)
        {
            await Task.Delay(5, Stop);
        }

        await WriteUntilTakenAsync(store, written);
        Assert.Equal(written.ToHashSet(), (await store.ScanAsync(Stop).ToListAsync(Stop)).ToHashSet());
        Assert.Equal(incarnation, store.Incarnation);
        Assert.Empty(Enumerable.Range(0, 4).SelectMany(store.External.Take));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_to_live_for_a_time_is_after_a_loss_too(bool isReopened)
    {
        var store = await OpenAsync();
        await store.NextEpochAsync(0, Stop);
        var written = (StoredStatus[])[External(store, "lasting"), External(store, "brief")];
        await Others.StringSetAsync("status:lasting", "4", TimeSpan.FromHours(1));
        await Others.StringSetAsync("status:brief", "4", TimeSpan.FromSeconds(1));
        var seen = new List<ExternalStatus>();
        await WaitAsync(store, seen, () => seen.Count == 2);
        await store.WriteAsync(written, Stop); // in our form, as the shard does
        Assert.True(await Others.KeyTimeToLiveAsync("status:lasting") > TimeSpan.FromMinutes(59));
        if (isReopened)
        {
            await store.DisposeAsync();
            store = await OpenAsync();
            await store.ReadAsync([.. written.Select(stored => stored.Uid)], Stop);
        }

        await using var open = store;
        await FlushAsync();
        while (store.Losses == 0 || store.Trouble is not null)
        {
            await Task.Delay(5, Stop);
        }

        seen.Clear();
        await WriteUntilTakenAsync(store, written);
        Assert.InRange((await Others.KeyTimeToLiveAsync("status:lasting")).GetValueOrDefault(), TimeSpan.FromMinutes(59), TimeSpan.FromHours(1));
        await WaitAsync(store, seen, () => seen.Count > 0);
        Assert.Equal(("brief", Status.Unknown), (Assert.Single(seen).Uid.ToString(), seen[0].Status));
    }

    [Fact]
    public async Task What_is_written_beside_a_loss_is_not_taken_for_deleted()
    {
        await using var store = await OpenAsync();
        await store.NextEpochAsync(0, Stop);
        var incarnation = store.Incarnation;
        var latest = Enumerable.Range(1, 2_000).Select(i => StoredStatuses.Of($"uid-{i}", incarnation, 1, i)).ToArray();
        await store.WriteAsync(latest, Stop);

        // As shards do: batch after batch, one that fails again with what is newest then.
        var (seq, at) = (latest.Length, 0);
        for (var isFlushed = false; store.Losses == 0 || store.Trouble is not null || at % latest.Length != 0; at = (at + 100) % latest.Length)
        {
            for (var i = at; i < at + 100; i++)
            {
                latest[i] = StoredStatuses.Of($"uid-{i + 1}", incarnation, 1, ++seq);
            }

            var writing = WriteUntilTakenAsync(store, latest[at..(at + 100)]);
            if (!isFlushed && at == 300)
            {
                isFlushed = true;
                await FlushAsync();
            }

            await writing;
        }

        await WriteUntilTakenAsync(store, latest);
        Assert.Equal(latest.ToHashSet(), (await store.ScanAsync(Stop).ToListAsync(Stop)).ToHashSet());
        Assert.Empty(Enumerable.Range(0, 4).SelectMany(store.External.Take));
    }

    /// <summary>Writes until it is taken: while a loss is dealt with it is not, and a cluster may be emptied server by server.</summary>
    internal static async Task WriteUntilTakenAsync(IStatusStore store, IReadOnlyList<StoredStatus> batch)
    {
        while (await Record.ExceptionAsync(async () => Assert.Empty(await store.WriteAsync(batch, Stop))) is { } failure)
        {
            Assert.IsType<StoreException>(failure);
            await Task.Delay(5, Stop);
        }
    }

    /// <summary>A status that another program wrote, in our form.</summary>
    private static StoredStatus External(IStatusStore store, string uid)
    {
        var stored = StoredStatuses.Of(uid, store.Incarnation, 1, 1);
        return stored with { Record = stored.Record with { Source = new ChangeSource(SourceKind.External, "redis", "", DateTimeOffset.UnixEpoch) } };
    }

    /// <summary>Empties the whole database.</summary>
    private protected abstract Task FlushAsync();

    /// <inheritdoc/>
    private protected override async Task<IStatusStore> OpenAsync() => await OpenRedisAsync(Options);

    /// <summary>Opens the store of this test.</summary>
    internal static async Task<RedisStatusStore> OpenRedisAsync(RedisOptions options, int shards = 4, string cluster = "")
    {
        var store = await RedisStatusStore.OpenAsync(new StatusRedisOptions { Server = options }, shards, cluster, new UidTable(), TimeProvider.System, NullLogger<RedisStatusStore>.Instance, Stop);
        for (var shard = 0; shard < shards; shard++)
        {
            store.Own(shard, epoch: 1);
        }

        return store;
    }

    /// <summary>Waits until another program's status of a subscriber comes out.</summary>
    internal static async Task WaitForAsync(IStatusStore store, string uid)
    {
        var seen = new List<ExternalStatus>();
        await WaitAsync(store, seen, () => seen.Any(status => status.Uid.ToString() == uid));
    }

    /// <summary>Takes what other programs wrote until a condition holds.</summary>
    internal static async Task WaitAsync(IStatusStore store, List<ExternalStatus> seen, Func<bool> isDone)
    {
        await using var shards = store.External.FollowAsync(Stop).GetAsyncEnumerator(Stop);
        while (!isDone() && await shards.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20), Stop))
        {
            seen.AddRange(store.External.Take(shards.Current));
        }
    }
}
