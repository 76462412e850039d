using Microsoft.Data.Sqlite;
using static SQLitePCL.raw;

namespace StatusDaemon.Storage;

/// <summary>What SQLite's result codes mean to whoever runs the daemon, and what to do about them.</summary>
internal static class SqliteErrors
{
    /// <summary>The failure in words. SQLite's own text stands at its end.</summary>
    public static StoreException Explain(SqliteException failure, string file) => failure.SqliteErrorCode switch
    {
        SQLITE_FULL => new($"The disk is full: {file} cannot grow. Free some space; what waits is written then. ({failure.Message})", failure),
        SQLITE_BUSY or SQLITE_LOCKED => new($"Another program keeps {file} locked. End its transaction, such as that of an sqlite3 shell. ({failure.Message})", failure),
        SQLITE_READONLY or SQLITE_CANTOPEN or SQLITE_PERM or SQLITE_AUTH => Refused(file, failure),
        SQLITE_IOERR => new($"The disk under {file} reports an error. Look into the kernel's log (dmesg). ({failure.Message})", failure),
        SQLITE_CORRUPT or SQLITE_NOTADB => Damaged(file, failure.Message, failure),
        _ => new($"{file}: {failure.Message}", failure),
    };

    /// <summary>The file holds what SQLite or this program never wrote.</summary>
    public static StoreException Damaged(string file, string detail, Exception? inner) => new(
        $"{file} is damaged: {detail}. Stop the daemon, restore the file from a backup or move it away together with {file}-wal and {file}-shm, and start again; an emptied store fills as subscribers publish.",
        inner);

    /// <summary>The operating system does not let us have the file.</summary>
    public static StoreException Refused(string file, Exception failure) => new(
        $"{file} cannot be opened for writing. It and its folder must exist and belong to the user {Environment.UserName}, on a disk that is not read-only; see STATE.path. ({failure.Message})",
        failure);
}
