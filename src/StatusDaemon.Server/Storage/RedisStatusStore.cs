using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using StatusDaemon.Names;
using StatusDaemon.Redis;
using StatusDaemon.Statuses;

namespace StatusDaemon.Storage;

/// <summary>The store that any program may read and write: a Redis, with a key a subscriber (docs/operations.md, "Redis"; decision 0017).</summary>
/// <remarks>
/// What it returns for is acknowledged by Redis; how well Redis keeps it is Redis' own setting. A server that comes back with less than it had is found out, and given everything again.
/// </remarks>
internal sealed class RedisStatusStore : IStatusStore
{
    private const int UidsPerRead = 512;

    private readonly RedisConnection connection;
    private readonly RedisStatusKeys keys;
    private readonly KnownValues known;
    private readonly RedisLookout lookout;
    private readonly RedisKeeper keeper;
    private readonly RedisWriter writer;
    private readonly RequestGroups<long, long> epochs;
    private volatile bool isDisposed;

    private RedisStatusStore(StatusRedisOptions options, int shards, string cluster, UidTable uids, TimeProvider clock, ILogger<RedisStatusStore> log)
    {
        connection = new RedisConnection(options.Server, "REDIS");
        keys = new RedisStatusKeys(connection, options, DaemonName.Of(cluster));
        known = new KnownValues(uids, clock);
        External = new ExternalStatuses(shards, (uid, why) => lookout!.Refuse(uid, why), uid => lookout!.Accept(uid));
        lookout = new RedisLookout(keys, known, External, uids, isShared: cluster.Length > 0, options.Server.Address, clock, log);
        keeper = new RedisKeeper(connection, keys, known, lookout, options.Sweep, clock, log);
        writer = new RedisWriter(keys, known, lookout, keeper, clock);
        epochs = new RequestGroups<long, long>(shards, nameof(RedisStatusStore), keeper.NextEpochsAsync);
    }

    /// <inheritdoc/>
    public ulong Incarnation => lookout.Incarnation;

    /// <inheritdoc/>
    public ExternalStatuses External { get; }

    /// <inheritdoc/>
    public long Losses => keeper.Losses;

    /// <inheritdoc/>
    public string? Trouble => keeper.Trouble;

    /// <summary>Opens the store. A server that is not there is waited for in the background: until then calls fail.</summary>
    /// <param name="shards">Number of shards, a power of two.</param>
    /// <param name="cluster"><c>CLUSTER.id</c> where several daemons share the shards; empty where one has them all.</param>
    /// <param name="uids">Shared by everything in the process.</param>
    /// <exception cref="StoreException">The server is there and refuses us, or sends no notifications.</exception>
    public static async Task<RedisStatusStore> OpenAsync(
        StatusRedisOptions options, int shards, string cluster, UidTable uids, TimeProvider clock, ILogger<RedisStatusStore> log, CancellationToken stop)
    {
        var store = new RedisStatusStore(options, shards, cluster, uids, clock, log);
        try
        {
            await store.keeper.StartAsync(stop);
            return store;
        }
        catch (Exception e)
        {
            await store.DisposeAsync();
            throw e is RedisAwayException ? new StoreException(e.Message, e) : e;
        }
    }

    /// <summary>Makes the instruments of docs/operations.md, "Metrics".</summary>
    public void Measure(Meter meter)
    {
        meter.CreateObservableGauge("statusd.redis.up", () => keeper.IsThere ? 1 : 0, "{server}", "Whether the status database answers: 1 or 0.");
        meter.CreateObservableGauge("statusd.redis.deaf", () => keeper.IsDeaf ? 1 : 0, "{server}", "Whether it sends no keyspace notifications, so that it is swept every second: 1 or 0.");
        meter.CreateObservableGauge("statusd.redis.lag", () => lookout.Lag.TotalSeconds, "s", "How long the change of another program that waits longest has waited.");
        meter.CreateObservableGauge("statusd.redis.waiting", () => lookout.Waiting + External.Count, "{key}", "Keys that changed and are not with their shard yet.");
        meter.CreateObservableGauge("statusd.redis.known", () => known.Count, "{key}", "Keys of statuses that are known.");
        meter.CreateObservableCounter("statusd.redis.gaps", () => keeper.Gaps, "{gap}", "Times that notifications may have been missed, so that every key was looked at.");
        meter.CreateObservableCounter("statusd.redis.losses", () => keeper.Losses, "{loss}", "Times that the database had lost what was written, so that everything was written again.");
        meter.CreateObservableCounter("statusd.redis.refused", () => lookout.Refused, "{value}", "Values of other programs that were not taken, each time one is met.");
    }

    /// <inheritdoc/>
    public Task<long> NextEpochAsync(long above, CancellationToken stop)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(above);
        ArgumentOutOfRangeException.ThrowIfEqual(above, long.MaxValue);
        return RunAsync(() => epochs.SubmitAsync(above, stop), stop);
    }

    /// <inheritdoc/>
    public void Own(int shard, long epoch)
    {
        known.Forget(uid => uid.ShardOf(External.Shards) == shard); // another daemon may have written since
        External.Own(shard, epoch);
    }

    /// <inheritdoc/>
    public void Disown(int shard, long epoch)
    {
        if (External.Disown(shard, epoch))
        {
            known.Forget(uid => uid.ShardOf(External.Shards) == shard);
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<StoredStatus>> ReadAsync(IReadOnlyList<Uid> uids, CancellationToken stop) => RunAsync(() => ReadNowAsync(uids), stop);

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredStatus> ScanAsync([EnumeratorCancellation] CancellationToken stop)
    {
        var all = new Dictionary<Uid, StoredStatus>(Uid.Comparer);
        foreach (var server in await RunAsync(() => Task.FromResult(keeper.Primaries()), stop))
        {
            await using var pages = keys.KeysAsync(server).GetAsyncEnumerator(stop);
            while (await RunAsync(async () => await pages.MoveNextAsync(), stop))
            {
                foreach (var stored in await RunAsync(() => ReadNowAsync([.. lookout.UidsOf(pages.Current)]), stop))
                {
                    all[stored.Uid] = stored;
                }
            }
        }

        // What has no version is newer than all that has one.
        foreach (var stored in all.Values.OrderBy(stored => stored.Record.IsUnversioned).ThenBy(stored => stored.Record.Version.Epoch).ThenBy(stored => stored.Record.Version.Seq))
        {
            yield return stored;
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<StoredStatus>> WriteAsync(IReadOnlyList<StoredStatus> batch, CancellationToken stop) => writer.WriteAsync(batch, stop);

    /// <summary>Writes what was asked before, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        isDisposed = true;
        await writer.DisposeAsync();
        await epochs.DisposeAsync();
        await keeper.DisposeAsync();
        await connection.DisposeAsync();
    }

    private async Task<IReadOnlyList<StoredStatus>> ReadNowAsync(IReadOnlyList<Uid> uids)
    {
        keeper.ThrowIfAway();
        var found = new List<StoredStatus>(uids.Count);
        foreach (var chunk in uids.Chunk(UidsPerRead))
        {
            var look = known.BeginLook();
            var first = found.Count;
            foreach (var (uid, value) in chunk.Zip(await keys.ReadAsync(chunk)))
            {
                if (value is not null && TryRead(uid, value, look) is { } stored)
                {
                    found.Add(stored);
                }
            }

            Uid[] external = [.. found.Skip(first).Where(stored => !stored.Record.IsUnversioned && stored.Record.Source.Kind == SourceKind.External).Select(stored => stored.Uid)];
            foreach (var (uid, left) in external.Zip(await keys.TimesAsync(external)))
            {
                known.LearnTime(uid, left);
            }
        }

        return found;
    }

    private StoredStatus? TryRead(Uid uid, byte[] value, long look)
    {
        var digest = RedisStatusValue.DigestOf(value);
        if (RedisStatusValue.TryReadOwn(uid, value, out var record))
        {
            Learn(uid, digest, record.Version, isForeign: false, look);
            return new StoredStatus(uid, record);
        }

        Learn(uid, digest, default, isForeign: true, look);
        if (RedisStatusValue.TryReadForeign(uid, value, out var status, out var timestamp, out var problem))
        {
            return new StoredStatus(uid, new StatusRecord(status, timestamp, default, lookout.SourceNow()));
        }

        lookout.Refuse(uid, problem);
        return null;
    }

    /// <summary>What is known differently was changed by another program, whom a watch must not miss; and what it had written before must not be told after this.</summary>
    private void Learn(Uid uid, UInt128 digest, StatusVersion version, bool isForeign, long look)
    {
        if (known.Learn(uid, digest, version, isForeign, look, out var isNewer))
        {
            if (isNewer)
            {
                External.Overtake(uid, look);
            }

            lookout.Ring(uid.Utf8, default);
        }
    }

    private async Task<T> RunAsync<T>(Func<Task<T>> run, CancellationToken stop)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        stop.ThrowIfCancellationRequested();
        try
        {
            return await run().WaitAsync(stop);
        }
        catch (RedisAwayException e)
        {
            keeper.Suspect();
            throw new StoreException(e.Message, e);
        }
    }
}
