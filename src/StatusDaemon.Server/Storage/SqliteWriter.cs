using System.Threading.Channels;
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

    // Full: callers wait for room. Whoever waits has its newer statuses conflated meanwhile, so nothing piles up behind it.
    private readonly Channel<Request> requests =
        Channel.CreateBounded<Request>(new BoundedChannelOptions(WaitingRequests) { SingleReader = true });

    private readonly StoreThread thread = new("status-writes");
    private readonly string file;
    private readonly SqliteConnection connection;
    private readonly SqliteCommand upsert;
    private readonly SqliteCommand nextEpoch;
    private readonly Task loop;

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
        loop = CommitWhatWaitsAsync();
    }

    /// <inheritdoc cref="IStatusStore.NextEpochAsync"/>
    public Task<long> NextEpochAsync(long above, CancellationToken stop)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(above);
        ArgumentOutOfRangeException.ThrowIfEqual(above, long.MaxValue);
        return SubmitAsync(() => TakeEpoch(above), stop);
    }

    /// <inheritdoc cref="IStatusStore.WriteAsync"/>
    public Task WriteAsync(IReadOnlyList<StoredStatus> batch, CancellationToken stop)
    {
        // Here and not in the transaction, where it would fail those who share it.
        if (!batch.All(stored => stored.IsComplete))
        {
            throw new ArgumentException("A record without version, status or source was never accepted.", nameof(batch));
        }

        return SubmitAsync(() => Put(batch), stop);
    }

    /// <summary>Commits what waits, moves the whole log into the database and closes it.</summary>
    public async ValueTask DisposeAsync()
    {
        requests.Writer.TryComplete();
        await loop;
        await thread.DisposeAsync();
        await upsert.DisposeAsync();
        await nextEpoch.DisposeAsync();
        await connection.DisposeAsync();
    }

    private async Task<long> SubmitAsync(Func<long> apply, CancellationToken stop)
    {
        var request = new Request(apply, stop);
        try
        {
            await requests.Writer.WriteAsync(request, stop);
        }
        catch (ChannelClosedException)
        {
            throw new ObjectDisposedException(nameof(SqliteStatusStore));
        }

        return await request.Done.Task;
    }

    private async Task CommitWhatWaitsAsync()
    {
        while (await requests.Reader.WaitToReadAsync())
        {
            var group = new List<Request>();
            while (group.Count < WaitingRequests && requests.Reader.TryRead(out var request))
            {
                if (request.Stop.IsCancellationRequested)
                {
                    request.Done.SetCanceled(request.Stop);
                }
                else
                {
                    group.Add(request);
                }
            }

            await FinishAsync(group);
        }
    }

    private async Task FinishAsync(List<Request> group)
    {
        long[] results;
        try
        {
            results = await thread.RunAsync(() => Commit(group), CancellationToken.None);
        }
        catch (Exception failure) // Whatever it is, it belongs to the callers who wait.
        {
            group.ForEach(request => request.Done.SetException(failure));
            return;
        }

        for (var i = 0; i < results.Length; i++)
        {
            group[i].Done.SetResult(results[i]);
        }
    }

    private long[] Commit(List<Request> group)
    {
        try
        {
            using var transaction = connection.BeginTransaction(deferred: false);
            upsert.Transaction = nextEpoch.Transaction = transaction;
            var results = group.ConvertAll(request => request.Apply()).ToArray();
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

    private sealed record Request(Func<long> Apply, CancellationToken Stop)
    {
        public TaskCompletionSource<long> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
