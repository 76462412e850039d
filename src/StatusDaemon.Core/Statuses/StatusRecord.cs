namespace StatusDaemon.Statuses;

/// <summary>The current status of one subscriber: a last-writer-wins register.</summary>
/// <remarks>The default value is what is shown where nothing was ever accepted: see <see cref="IsNone"/> and <see cref="Shown"/>.</remarks>
public readonly record struct StatusRecord(Status Status, ClientTimestamp Timestamp, StatusVersion Version, ChangeSource Source)
{
    /// <summary>Whether nothing was ever accepted.</summary>
    public bool IsNone => Version.IsNone;

    /// <summary>Whether another program wrote it into the store and nobody has accepted it yet, so that it has no version.</summary>
    public bool IsUnversioned => Version.IsNone && Status != default;

    /// <summary>What a watcher who may see it is shown.</summary>
    public Status Shown => IsNone ? Status.Unknown : Status;
}
