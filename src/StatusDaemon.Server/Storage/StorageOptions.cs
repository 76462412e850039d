using StatusDaemon.Settings;

namespace StatusDaemon.Storage;

/// <summary>Where statuses are kept.</summary>
internal enum StorageKind
{
    /// <summary>A SQLite file under <c>STATE.path</c>.</summary>
    Sqlite,

    /// <summary>The status database of section <c>REDIS</c>, which other programs may read and write too.</summary>
    Redis,
}

/// <summary>Section <c>STORAGE</c> of the settings.</summary>
internal sealed class StorageOptions
{
    /// <summary>Where statuses are kept.</summary>
    public StorageKind Kind { get; init; } = StorageKind.Sqlite;

    /// <summary>Longest time from accepting a status to its being durable; 10 ms to 1 min.</summary>
    /// <remarks>What a crash of daemon and gateway together can lose. A shorter time costs more fsyncs, at most one each.</remarks>
    public TimeSpan Flush { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Whether another program may set the status of a UID that no directory knows.</summary>
    public bool AcceptsUnknown { get; init; }

    /// <summary>Reads the section.</summary>
    public static StorageOptions Read(SettingsSection section)
    {
        var defaults = new StorageOptions();
        return new StorageOptions
        {
            Kind = section.Choice("kind", defaults.Kind, ("sqlite", StorageKind.Sqlite), ("redis", StorageKind.Redis)),
            Flush = section.Duration("flush", defaults.Flush, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1)),
            AcceptsUnknown = section.Choice("unknown_uids", defaults.AcceptsUnknown, ("accept", true), ("refuse", false)),
        };
    }
}
