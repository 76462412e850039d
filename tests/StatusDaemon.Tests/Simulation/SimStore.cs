using System.Runtime.CompilerServices;
using StatusDaemon.Names;
using StatusDaemon.Statuses;
using StatusDaemon.Storage;

namespace StatusDaemon.Simulation;

/// <summary>The simulated world's disk: it answers at once, and can be away.</summary>
internal sealed class SimStore(ulong incarnation) : IStatusStore
{
    private readonly Dictionary<Uid, StatusRecord> records = new(Uid.Comparer);
    private long epoch;

    public ulong Incarnation { get; } = incarnation;

    public ExternalStatuses External { get; set; } = ExternalStatuses.None;

    public long Losses => 0;

    public string? Trouble => null;

    public bool IsAway { get; set; }

    /// <summary>Whether single reads fail; writes and scans are another matter.</summary>
    public bool IsUnreadable { get; set; }

    /// <summary>What single reads wait for.</summary>
    public Task Reading { get; set; } = Task.CompletedTask;

    /// <summary>Whether no epoch can be taken.</summary>
    public bool IsStuck { get; set; }

    public Task<long> NextEpochAsync(long above, CancellationToken stop) =>
        IsStuck ? throw new StoreAwayException() : Task.FromResult(epoch = Math.Max(epoch, above) + 1);

    public void Own(int shard, long epoch)
    {
    }

    public void Disown(int shard, long epoch)
    {
    }

    public async Task<IReadOnlyList<StoredStatus>> ReadAsync(IReadOnlyList<Uid> uids, CancellationToken stop)
    {
        await Reading;
        return IsUnreadable ? throw new StoreAwayException() : [.. uids.Where(records.ContainsKey).Select(uid => new StoredStatus(uid, records[uid]))];
    }

    public async IAsyncEnumerable<StoredStatus> ScanAsync([EnumeratorCancellation] CancellationToken stop)
    {
        foreach (var (uid, record) in records.OrderBy(pair => pair.Value.Version.Epoch).ThenBy(pair => pair.Value.Version.Seq))
        {
            yield return new StoredStatus(uid, record);
        }

        await Task.CompletedTask;
    }

    public Task<IReadOnlyList<StoredStatus>> WriteAsync(IReadOnlyList<StoredStatus> batch, CancellationToken stop)
    {
        if (IsAway)
        {
            throw new StoreAwayException();
        }

        foreach (var (uid, record) in batch)
        {
            if (record.Version.IsNewerThan(records.GetValueOrDefault(uid).Version))
            {
                records[uid] = record;
            }
        }

        return Task.FromResult<IReadOnlyList<StoredStatus>>([]);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    internal sealed class StoreAwayException : Exception;
}
