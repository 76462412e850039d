using Microsoft.Data.Sqlite;

namespace StatusDaemon.Storage;

/// <summary>The one writer of the database. What is asked for while a transaction is on its way to the disk shares the next one.</summary>
/// <remarks>A transaction costs one fsync, whatever is in it; thirty-two shards that ask at once pay for two. If it fails, all that shared it fail alike.</remarks>
internal sealed class SqliteWriter : IAsyncDisposable
{
    private const int WaitingRequests = 256;

    private const string UpsertSql =
        $"""
        INSERT INTO status ({SqliteRow.Columns})
        VALUES ($uid, $status, $timestamp, $quoted, $incarnation, $epoch, $seq, $source, $actor, $through, $at)
        ON CONFLICT (uid) DO UPDATE SET
            status = excluded.status, timestamp = excluded.timestamp, quoted = excluded.quoted,
            incarnation = excluded.incarnation, epoch = excluded.epoch, seq = excluded.seq,
            source = excluded.source, actor = excluded.actor, through = excluded.through, at = excluded.at
        WHERE excluded.incarnation <> status.incarnation OR (excluded.epoch, excluded.seq) > (status.epoch, status.seq)
        """;

    private readonly StoreThread thread = new("status-writes");
    private readonly string file;
    private readonly SqliteConnection connection;
    private readonly SqliteCommand upsert;
    private readonly SqliteCommand nextEpoch;
    private readonly RequestGroups<Func<long>, long> requests;

    /// <summary>Starts the loop that commits.</summary>
    /// <param name="connection">A prepared connection that nobody else uses; it is disposed with this object.</param>
    public SqliteWriter(SqliteConnection connection, string file)
    {
        this.connection = connection;
        this.file = file;
        upsert = connection.CreateCommand();
        upsert.CommandText = UpsertSql;
        SqliteRow.AddParameters(upsert);
        nextEpoch = connection.CreateCommand();
        nextEpoch.CommandText = "UPDATE store SET epoch = max(epoch, $above) + 1 RETURNING epoch";
        nextEpoch.Parameters.Add(new SqliteParameter { ParameterName = "$above" });
        requests = new(WaitingRequests, nameof(SqliteStatusStore), async group => await thread.RunAsync(() => Commit(group), CancellationToken.None));
    }

    /// <inheritdoc cref="IStatusStore.NextEpochAsync"/>
    public Task<long> NextEpochAsync(long above, CancellationToken stop)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(above);
        ArgumentOutOfRangeException.ThrowIfEqual(above, long.MaxValue);
        return requests.SubmitAsync(() => TakeEpoch(above), stop);
    }

    /// <inheritdoc cref="IStatusStore.WriteAsync"/>
    public Task WriteAsync(IReadOnlyList<StoredStatus> batch, CancellationToken stop)
    {
        StoredStatus.ThrowIfIncomplete(batch); // here and not in the transaction, where it would fail those who share it
        return requests.SubmitAsync(() => Put(batch), stop);
    }

    /// <summary>Commits what waits, moves the whole log into the database and closes it.</summary>
    public async ValueTask DisposeAsync()
    {
        await requests.DisposeAsync();
        await thread.DisposeAsync();
        await upsert.DisposeAsync();
        await nextEpoch.DisposeAsync();
        await connection.DisposeAsync();
    }

    private long[] Commit(IReadOnlyList<Func<long>> group)
    {
        try
        {
            using var transaction = connection.BeginTransaction(deferred: false);
            upsert.Transaction = nextEpoch.Transaction = transaction;
            long[] results = [.. group.Select(apply => apply())];
            transaction.Commit();
            return results;
        }
        catch (SqliteException failure)
        {
            throw SqliteErrors.Explain(failure, file);
        }
    }

    private long TakeEpoch(long above)
    {
        nextEpoch.Parameters[0].Value = above;
        return (long)nextEpoch.ExecuteScalar()!;
    }

    private long Put(IReadOnlyList<StoredStatus> batch)
    {
        foreach (var stored in batch)
        {
            SqliteRow.Bind(upsert, stored);
            upsert.ExecuteNonQuery();
        }

        return batch.Count;
    }
}
