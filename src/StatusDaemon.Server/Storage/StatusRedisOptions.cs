using System.Text;
using StatusDaemon.Redis;
using StatusDaemon.Settings;

namespace StatusDaemon.Storage;

/// <summary>Section <c>REDIS</c>: the status database, and the membership of <c>CLUSTER.kind: redis</c>.</summary>
internal sealed class StatusRedisOptions
{
    /// <summary>How to reach it.</summary>
    public RedisOptions Server { get; init; } = new();

    /// <summary>Key of a subscriber's status; has <c>{uid}</c>.</summary>
    public RedisKeyPattern StatusKey { get; init; } = RedisKeyPattern.Parse("status:{uid}", "uid");

    /// <summary>Key that says that the database is the one which we filled; it holds the store's incarnation and epoch.</summary>
    public RedisKeyPattern MarkerKey { get; init; } = RedisKeyPattern.Parse("statusd:store");

    /// <summary>Beginning of the keys through which daemons on several machines know each other.</summary>
    public RedisKeyPattern ClusterKey { get; init; } = RedisKeyPattern.Parse("statusd:cluster");

    /// <summary>How often every key is looked at in the background, for what notifications have missed; 1 s to 1 h.</summary>
    public TimeSpan Sweep { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Beginning of the keys of one cluster.</summary>
    /// <param name="id"><c>CLUSTER.id</c>.</param>
    public string ClusterKeyOf(string id) => $"{ClusterKey}:{id}";

    /// <summary>Reads the section.</summary>
    public static StatusRedisOptions Read(SettingsSection section)
    {
        var defaults = new StatusRedisOptions();
        var options = new StatusRedisOptions
        {
            Server = RedisOptions.Read(section),
            StatusKey = RedisKeyPattern.Read(section, "keys.status", defaults.StatusKey.Text, "uid"),
            MarkerKey = RedisKeyPattern.Read(section, "keys.marker", defaults.MarkerKey.Text),
            ClusterKey = RedisKeyPattern.Read(section, "keys.cluster", defaults.ClusterKey.Text),
            Sweep = section.Duration("sweep", defaults.Sweep, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)),
        };
        foreach (var (key, pattern) in (ReadOnlySpan<(string, RedisKeyPattern)>)[("keys.marker", options.MarkerKey), ("keys.cluster", options.ClusterKey)])
        {
            if (options.StatusKey.TryReadOne(Encoding.UTF8.GetBytes(pattern.Text + ":any"), out _))
            {
                section.Refuse(key, $"{pattern} and the keys beside it would be taken for statuses: choose one that does not fit keys.status, {options.StatusKey}");
            }
        }

        return options;
    }
}
