using StatusDaemon.Names;
using StatusDaemon.Statuses;

namespace StatusDaemon.Storage;

/// <summary>A status as the store has it.</summary>
/// <param name="Record">Without a version, but not <see cref="StatusRecord.IsNone"/>, where another program wrote it and no daemon has taken it yet.</param>
internal readonly record struct StoredStatus(Uid Uid, StatusRecord Record)
{
    /// <summary>Whether it was accepted, and has all that a store keeps.</summary>
    public bool IsComplete => this is { Uid: not null, Record: { Version.IsNone: false, Source: { Actor: not null, Through: not null } } record } && StatusNames.IsStatus((long)record.Status);

    /// <summary>Refuses a batch with a record that was never accepted.</summary>
    public static void ThrowIfIncomplete(IReadOnlyList<StoredStatus> batch)
    {
        if (!batch.All(stored => stored.IsComplete))
        {
            throw new ArgumentException("A record without version, status or source was never accepted.", nameof(batch));
        }
    }
}

/// <summary>Where statuses survive a restart. The shards of a process share one; other daemons may have the rest of the shards, over the same place.</summary>
/// <remarks>
/// Any thread may call, also several at once. A call that the world makes fail (a full disk, a lost server) throws <see cref="StoreException"/>
/// and leaves the store usable: the caller tries again later. A cancelled call has happened whole or not at all, and keeps no hold on what it
/// was given. Disposing finishes what was asked before; a call after it throws <see cref="ObjectDisposedException"/>.
/// </remarks>
internal interface IStatusStore : IAsyncDisposable
{
    /// <summary>Random id of this store, made when it was created; another one means that it was restored or emptied. Never 0 once an epoch was taken.</summary>
    ulong Incarnation { get; }

    /// <summary>What other programs wrote of the shards that are owned; nothing, ever, in a store that is the daemon's alone.</summary>
    ExternalStatuses External { get; }

    /// <summary>How often what was written got lost, with a server that lives on: after each time everything is to be written again.</summary>
    long Losses { get; }

    /// <summary>What keeps the store from its work just now; null if nothing does. For anybody's eyes.</summary>
    string? Trouble { get; }

    /// <summary>Takes the next epoch: greater than any handed out before and than <paramref name="above"/>, durable before it is returned.</summary>
    /// <param name="above">The greatest epoch that was heard of a record of this incarnation; 0 for none. <see cref="long.MaxValue"/> is refused: nothing is above it.</param>
    /// <remarks>Thirty-two shards ask at once at a start: concurrent calls share one commit. Epochs may have gaps.</remarks>
    Task<long> NextEpochAsync(long above, CancellationToken stop);

    /// <summary>A shard begins here: it knows nothing yet of what the store has, and hears from now on what other programs write.</summary>
    /// <param name="epoch">The shard's own, from <see cref="NextEpochAsync"/>.</param>
    void Own(int shard, long epoch);

    /// <summary>A shard has ended here, unless it has begun again since: another daemon may have it now.</summary>
    /// <param name="epoch">The one that it began with.</param>
    void Disown(int shard, long epoch);

    /// <summary>Reads single records, as new as the last write that returned; a UID that has none is left out.</summary>
    Task<IReadOnlyList<StoredStatus>> ReadAsync(IReadOnlyList<Uid> uids, CancellationToken stop);

    /// <summary>Reads all records, each at least as new as the last write that returned before the enumeration began; those of one incarnation oldest first.</summary>
    /// <remarks>
    /// The order is that of (epoch, seq); between the incarnations of several homes it says nothing. Writers are not held up, but a store may
    /// have to keep what they replace until the enumeration ends, so take the records quickly.
    /// </remarks>
    IAsyncEnumerable<StoredStatus> ScanAsync(CancellationToken stop);

    /// <summary>Writes a batch; what it returns for is kept. One that failed may have happened in part: the caller writes it again.</summary>
    /// <param name="batch">Records that were accepted; not changed until the call ends.</param>
    /// <returns>Those in whose place another program's status is there now, and in <see cref="External"/>: it is newer, and they were not written.</returns>
    /// <remarks>
    /// A record that is older than the stored one of its incarnation is left out: newer wins, in whatever order batches arrive, so that a second
    /// owner of a shard does no harm. One of another incarnation replaces what is there, since the caller has taken it as truth.
    /// </remarks>
    Task<IReadOnlyList<StoredStatus>> WriteAsync(IReadOnlyList<StoredStatus> batch, CancellationToken stop);
}
