using StatusDaemon.Privileges;

namespace StatusDaemon.Daemon;

/// <summary>The last change of the directory, compared once for all shards of the daemon. Any thread may call.</summary>
internal sealed class DirectoryChanges
{
    private readonly Lock gate = new();
    private volatile DirectoryChange last = DirectoryChange.Between(DirectorySnapshot.Empty, DirectorySnapshot.Empty);

    /// <summary>The last change; a shard that has missed the one before compares for itself.</summary>
    public DirectoryChange Last => last;

    /// <summary>The last change, once it leads to a snapshot or a newer one.</summary>
    public DirectoryChange UpTo(DirectorySnapshot snapshot)
    {
        if (last.To.Revision < snapshot.Revision)
        {
            lock (gate)
            {
                if (last.To.Revision < snapshot.Revision)
                {
                    last = DirectoryChange.Between(last.To, snapshot);
                }
            }
        }

        return last;
    }
}
