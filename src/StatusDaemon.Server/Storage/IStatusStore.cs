using StatusDaemon.Names;
using StatusDaemon.Statuses;

namespace StatusDaemon.Storage;

/// <summary>A status as the store has it.</summary>
internal readonly record struct StoredStatus(Uid Uid, StatusRecord Record);

/// <summary>Where statuses survive a restart. One daemon process opens a store; all its shards share it.</summary>
internal interface IStatusStore : IAsyncDisposable
{
    /// <summary>Random id of this store, made when it was created; another one means that it was restored or emptied. Never 0.</summary>
    ulong Incarnation { get; }

    /// <summary>Takes the next epoch: greater than any handed out before and than <paramref name="above"/>, durable before it is returned.</summary>
    /// <remarks>Thirty-two shards ask at once at a start: concurrent calls share one commit.</remarks>
    Task<long> NextEpochAsync(long above, CancellationToken stop);

    /// <summary>Reads single records; a UID that has none is left out.</summary>
    Task<IReadOnlyList<StoredStatus>> ReadAsync(IReadOnlyList<Uid> uids, CancellationToken stop);

    /// <summary>Reads all records in the order of their versions, oldest first.</summary>
    IAsyncEnumerable<StoredStatus> ScanAsync(CancellationToken stop);

    /// <summary>Writes a batch, durable before it returns, all of it or nothing. A record that is older than the stored one is left out: newer wins.</summary>
    Task WriteAsync(IReadOnlyList<StoredStatus> batch, CancellationToken stop);
}
