using StatusDaemon.Privileges;

namespace StatusDaemon.Daemon;

/// <summary>The last change of the directory, compared once for all shards of the daemon.</summary>
internal sealed class DirectoryChanges
{
    private volatile DirectoryChange last = DirectoryChange.Between(DirectorySnapshot.Empty, DirectorySnapshot.Empty);

    /// <summary>The last change; a shard that has missed the one before compares for itself.</summary>
    public DirectoryChange Last => last;

    /// <summary>Takes a newer snapshot. One caller at a time.</summary>
    public void Take(DirectorySnapshot snapshot) => last = DirectoryChange.Between(last.To, snapshot);
}
