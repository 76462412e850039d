using StatusDaemon.Settings;

namespace StatusDaemon.Storage;

/// <summary>Section <c>REDIS</c>: the status database, and the membership of <c>CLUSTER.kind: redis</c>.</summary>
internal sealed class StatusRedisOptions
{
    /// <summary>How to reach it.</summary>
    public RedisOptions Server { get; init; } = new();

    /// <summary>Key of a subscriber's status; has <c>{uid}</c>.</summary>
    public string StatusKey { get; init; } = "status:{uid}";

    /// <summary>Key that says that the database is the one which we filled; it holds the store's incarnation and epoch.</summary>
    public string MarkerKey { get; init; } = "statusd:store";

    /// <summary>Reads the section.</summary>
    public static StatusRedisOptions Read(SettingsSection section)
    {
        var defaults = new StatusRedisOptions();
        return new StatusRedisOptions
        {
            Server = RedisOptions.Read(section),
            StatusKey = RedisKeyPattern.Read(section, "keys.status", defaults.StatusKey, "uid"),
            MarkerKey = RedisKeyPattern.Read(section, "keys.marker", defaults.MarkerKey),
        };
    }
}
