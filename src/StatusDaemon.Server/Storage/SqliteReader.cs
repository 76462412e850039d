using Microsoft.Data.Sqlite;
using StatusDaemon.Names;

namespace StatusDaemon.Storage;

/// <summary>Reads of the database: single records over one connection kept open, and scans over one of their own each.</summary>
internal sealed class SqliteReader : IAsyncDisposable
{
    // Between two chunks another reader has its turn, and the log may be moved into the database.
    private const int ChunkRecords = 1024;

    private readonly StoreThread thread = new("status-reads");
    private readonly SqliteFile file;
    private readonly SqliteConnection connection;
    private readonly SqliteCommand one;

    /// <summary>Opens the connection for single records.</summary>
    public SqliteReader(SqliteFile file)
    {
        this.file = file;
        connection = file.Connect(SqliteOpenMode.ReadOnly);
        one = connection.CreateCommand();
        one.CommandText = $"SELECT {SqliteRow.Columns} FROM status WHERE uid = $uid";
        one.Parameters.Add(new SqliteParameter { ParameterName = "$uid" });
    }

    /// <inheritdoc cref="IStatusStore.ReadAsync"/>
    public async Task<IReadOnlyList<StoredStatus>> ReadAsync(IReadOnlyList<Uid> uids, CancellationToken stop)
    {
        var found = new List<StoredStatus>();
        for (var at = 0; at < uids.Count; at += ChunkRecords)
        {
            var chunk = uids.Skip(at).Take(ChunkRecords);
            found.AddRange(await thread.RunAsync(() => ReadChunk(chunk), stop));
        }

        return found;
    }

    /// <inheritdoc cref="IStatusStore.ScanAsync"/>
    public async IAsyncEnumerable<StoredStatus> ScanAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
    {
        // A thread of its own too: a long sort must not hold up single reads, from which watches are answered.
        await using var scan = new StoreThread("status-scan");
        await using var own = await scan.RunAsync(() => Explained(() => file.Connect(SqliteOpenMode.ReadOnly)), stop);
        await using var all = own.CreateCommand();
        all.CommandText = $"SELECT {SqliteRow.Columns} FROM status ORDER BY epoch, seq";
        await using var rows = await scan.RunAsync(() => Explained(all.ExecuteReader), stop);
        while (await scan.RunAsync(() => Explained(() => NextChunk(rows)), stop) is { Count: > 0 } chunk)
        {
            foreach (var stored in chunk)
            {
                yield return stored;
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await thread.DisposeAsync();
        await one.DisposeAsync();
        await connection.DisposeAsync();
    }

    private List<StoredStatus> ReadChunk(IEnumerable<Uid> uids) => Explained(() =>
    {
        // One snapshot for the chunk: it spares the locks of each single one.
        using var transaction = connection.BeginTransaction(deferred: true);
        one.Transaction = transaction;
        var found = new List<StoredStatus>();
        foreach (var uid in uids)
        {
            one.Parameters[0].Value = uid.ToString();
            using var rows = one.ExecuteReader();
            if (rows.Read())
            {
                found.Add(SqliteRow.Read(rows, file.Path));
            }
        }

        return found;
    });

    private List<StoredStatus> NextChunk(SqliteDataReader rows)
    {
        var chunk = new List<StoredStatus>(ChunkRecords);
        while (chunk.Count < ChunkRecords && rows.Read())
        {
            chunk.Add(SqliteRow.Read(rows, file.Path));
        }

        return chunk;
    }

    private T Explained<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (SqliteException failure)
        {
            throw SqliteErrors.Explain(failure, file.Path);
        }
    }
}
