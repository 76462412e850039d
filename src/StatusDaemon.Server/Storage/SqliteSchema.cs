using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Data.Sqlite;

namespace StatusDaemon.Storage;

/// <summary>Brings a database file to the schema of this release: the steps <c>sqlite-N.sql</c>, counted in SQLite's <c>user_version</c>.</summary>
internal static class SqliteSchema
{
    /// <summary>The last step, which this release reads and writes.</summary>
    public const int Version = 1;

    /// <summary>SQLite's <c>application_id</c> of our files, the letters <c>STSD</c>: tells them from another program's.</summary>
    public const int ApplicationId = 0x53545344;

    /// <summary>Refuses a file that is not ours or is too new, makes an empty one ours, and runs the steps that an old one lacks.</summary>
    /// <param name="maxPages">Most pages that this connection lets the database have; null means no limit of ours.</param>
    /// <returns>The store's incarnation.</returns>
    /// <exception cref="StoreException">The file belongs to another program or a newer release, is damaged, or its file system has no WAL.</exception>
    public static ulong Prepare(SqliteConnection connection, string file, int? maxPages)
    {
        var version = Number(connection, "PRAGMA user_version");
        var application = Number(connection, "PRAGMA application_id");
        var empty = Number(connection, "SELECT count(*) FROM sqlite_schema") == 0;
        if (!empty && application != ApplicationId)
        {
            throw new StoreException($"{file} is a database of another program and is left as it is. Point STATE.path at a folder of its own.");
        }

        if (version > Version)
        {
            throw new StoreException(
                $"{file} was written by a newer release (schema {version}, this one knows {Version}). Start that release, or move the file away to begin with an empty store.");
        }

        Configure(connection, file);
        if (version < Version)
        {
            Upgrade(connection, version, empty);
        }

        if (maxPages is { } pages)
        {
            Execute(connection, string.Create(CultureInfo.InvariantCulture, $"PRAGMA max_page_count = {pages}"));
        }

        return Scalar(connection, "SELECT incarnation FROM store") is long incarnation
            ? unchecked((ulong)incarnation)
            : throw SqliteErrors.Damaged(file, "the table store is empty", inner: null);
    }

    private static void Configure(SqliteConnection connection, string file)
    {
        if (Scalar(connection, "PRAGMA journal_mode = WAL") is not "wal")
        {
            throw new StoreException($"{file} lies on a file system without shared memory, such as a network share. Point STATE.path at a local disk.");
        }

        // FULL: a commit returns when the disk has it. The log is moved into the database at 16 MiB: each moving has two fsyncs of its own, and a
        // page that several batches changed is moved once. After a long scan let the log grow further, the limit makes it shrink again.
        Execute(connection, "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4096; PRAGMA journal_size_limit = 16777216;");
    }

    private static void Upgrade(SqliteConnection connection, long from, bool empty)
    {
        using var transaction = connection.BeginTransaction(deferred: false);
        for (var step = from + 1; step <= Version; step++)
        {
            Execute(connection, Script(step));
        }

        if (empty)
        {
            Execute(connection, string.Create(CultureInfo.InvariantCulture, $"INSERT INTO store VALUES (1, {NewIncarnation()}, 0)"));
        }

        Execute(connection, string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {Version}; PRAGMA application_id = {ApplicationId};"));
        transaction.Commit();
    }

    private static string Script(long step)
    {
        using var stream = typeof(SqliteSchema).Assembly.GetManifestResourceStream($"StatusDaemon.Storage.sqlite-{step}.sql")
            ?? throw new InvalidOperationException($"The step sqlite-{step}.sql is not in the assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static long NewIncarnation()
    {
        Span<byte> random = stackalloc byte[sizeof(long)];
        long incarnation;
        do
        {
            RandomNumberGenerator.Fill(random);
            incarnation = BinaryPrimitives.ReadInt64LittleEndian(random);
        }
        while (incarnation == 0);

        return incarnation;
    }

    private static long Number(SqliteConnection connection, string sql) => (long)Scalar(connection, sql)!;

    private static object? Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
