using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using StatusDaemon.Names;

namespace StatusDaemon.Storage;

/// <summary>The embedded store: one SQLite file, which needs no other process. Why SQLite: decision 0003.</summary>
/// <remarks>Every commit is on the disk before it is acknowledged: kill -9 and a power cut lose nothing that <see cref="WriteAsync"/> returned for.</remarks>
internal sealed partial class SqliteStatusStore : IStatusStore
{
    /// <summary>Name of the file under <c>STATE.path</c>.</summary>
    public const string FileName = "statuses.db";

    private readonly SqliteFile file;
    private readonly SqliteWriter writer;
    private readonly SqliteReader reader;

    private SqliteStatusStore(SqliteFile file, SqliteConnection connection, ulong incarnation)
    {
        this.file = file;
        Incarnation = incarnation;
        reader = new SqliteReader(file);
        writer = new SqliteWriter(connection, file.Path);
    }

    /// <inheritdoc/>
    public ulong Incarnation { get; }

    /// <inheritdoc/>
    public ExternalStatuses External => ExternalStatuses.None;

    /// <inheritdoc/>
    public long Losses => 0;

    /// <inheritdoc/>
    public string? Trouble => null;

    /// <summary>Opens the store, and makes it where there is none. Blocks for some milliseconds: call it at the start.</summary>
    /// <param name="path">The database file; its folder is made with mode 0700, the file with 0600.</param>
    /// <param name="maxPages">Most pages of 4 KiB that the database may have, as if the disk ended there; null means that the disk is the limit.</param>
    /// <exception cref="StoreException">Another process has it open, it is damaged, too new or another program's, or it cannot be written.</exception>
    public static SqliteStatusStore Open(string path, ILogger<SqliteStatusStore> log, int? maxPages = null)
    {
        var file = SqliteFile.Hold(path);
        SqliteConnection? connection = null;
        try
        {
            connection = file.Connect(SqliteOpenMode.ReadWrite);
            var incarnation = SqliteSchema.Prepare(connection, file.Path, maxPages);
            var store = new SqliteStatusStore(file, connection, incarnation);
            LogOpened(log, file.Path, store.Incarnation);
            return store;
        }
        catch (SqliteException failure)
        {
            Close();
            throw SqliteErrors.Explain(failure, file.Path);
        }
        catch
        {
            Close();
            throw;
        }

        void Close()
        {
            connection?.Dispose();
            file.Dispose();
        }
    }

    /// <inheritdoc/>
    public Task<long> NextEpochAsync(long above, CancellationToken stop) => writer.NextEpochAsync(above, stop);

    /// <inheritdoc/>
    public void Own(int shard, long epoch)
    {
        // Nobody else writes here.
    }

    /// <inheritdoc/>
    public void Disown(int shard, long epoch)
    {
        // See Own.
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<StoredStatus>> ReadAsync(IReadOnlyList<Uid> uids, CancellationToken stop) => reader.ReadAsync(uids, stop);

    /// <inheritdoc/>
    public IAsyncEnumerable<StoredStatus> ScanAsync(CancellationToken stop) => reader.ScanAsync(stop);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<StoredStatus>> WriteAsync(IReadOnlyList<StoredStatus> batch, CancellationToken stop)
    {
        await writer.WriteAsync(batch, stop);
        return [];
    }

    /// <summary>Finishes what was asked, moves the log into the database so that the file alone is the store, and lets go of it.</summary>
    public async ValueTask DisposeAsync()
    {
        // The writer last: SQLite moves the log when the last connection closes, and only one that may write can.
        await reader.DisposeAsync();
        await writer.DisposeAsync();
        file.Dispose();
    }

    [LoggerMessage(4001, LogLevel.Information, "Opened the status store {File}, incarnation {Incarnation:x16}.")]
    private static partial void LogOpened(ILogger log, string file, ulong incarnation);
}
