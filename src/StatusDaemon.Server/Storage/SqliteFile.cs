using Microsoft.Data.Sqlite;

namespace StatusDaemon.Storage;

/// <summary>The database file on the disk, held by this process alone for as long as the object lives.</summary>
/// <remarks>
/// The hold is a lock on <c>FILE.lock</c> that the kernel drops with the process, also after kill -9. SQLite's own exclusive mode would shut out our reading
/// connections too. The lock file is never deleted: a daemon that starts just then would lock a file that nobody else sees.
/// </remarks>
internal sealed class SqliteFile : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const int WouldBlock = 11; // EWOULDBLOCK of Linux, as FileStream hands it on

    // How long a statement waits for another program's lock, in seconds. Short, since the caller tries again anyway.
    private const int BusySeconds = 1;

    private readonly FileStream hold;

    private SqliteFile(string path, FileStream hold)
    {
        Path = path;
        this.hold = hold;
    }

    /// <summary>Absolute path of the database.</summary>
    public string Path { get; }

    /// <summary>Makes folder (mode 0700) and file (0600) where they are missing, and takes hold of the file. A file with a wider mode is narrowed.</summary>
    /// <exception cref="StoreException">Another process holds it, or it cannot be opened for writing.</exception>
    public static SqliteFile Hold(string path)
    {
        path = System.IO.Path.GetFullPath(path);
        try
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!, OwnerOnly | UnixFileMode.UserExecute);
            var hold = OpenOwnerOnly(path + ".lock");
            try
            {
                // Made here, since SQLite would give it the mode of the umask; its -wal and -shm take over the mode of the file. Closed before SQLite
                // opens it: a close drops every POSIX lock that this process has on the file, SQLite's too.
                OpenOwnerOnly(path).Dispose();
            }
            catch
            {
                hold.Dispose();
                throw;
            }

            return new SqliteFile(path, hold);
        }
        catch (IOException failure) when (failure.HResult == WouldBlock)
        {
            throw new StoreException($"Another daemon has {path} open. Stop it first, or give this one a STATE.path of its own.", failure);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw SqliteErrors.Refused(path, failure);
        }
    }

    /// <summary>Opens a connection; the caller disposes it before this object.</summary>
    public SqliteConnection Connect(SqliteOpenMode mode)
    {
        // Unpooled: a closed connection is closed, and its locks are gone.
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = Path, Mode = mode, Pooling = false, DefaultTimeout = BusySeconds }.ConnectionString);
        connection.Open();
        return connection;
    }

    /// <inheritdoc/>
    public void Dispose() => hold.Dispose();

    private static FileStream OpenOwnerOnly(string path)
    {
        var stream = new FileStream(
            path,
            new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None, UnixCreateMode = OwnerOnly });
        File.SetUnixFileMode(stream.SafeFileHandle, OwnerOnly);
        return stream;
    }
}
