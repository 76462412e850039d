namespace StatusDaemon.Cluster;

/// <summary>Held by the one daemon of a <c>STATE.path</c>. The kernel gives it back when the process ends, however that happens.</summary>
internal sealed class DaemonLock : IDisposable
{
    private readonly FileStream file;

    private DaemonLock(FileStream file) => this.file = file;

    /// <summary>Takes it.</summary>
    /// <param name="folder">The cluster's folder, which is made when it is not there.</param>
    /// <exception cref="IOException">Another daemon has it.</exception>
    public static DaemonLock Take(string folder)
    {
        var path = Path.Combine(folder, "daemon.lock");
        try
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            return new DaemonLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
        catch (IOException e) when (File.Exists(path))
        {
            throw new IOException($"Another daemon runs with this STATE.path ({path} is locked): stop it, or give each its own.", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();
}
