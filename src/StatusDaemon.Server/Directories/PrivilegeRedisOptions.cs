using StatusDaemon.Settings;
using StatusDaemon.Storage;

namespace StatusDaemon.Directories;

/// <summary>Section <c>PRIVILEGE_REDIS</c>: the database of the privilege service, which is only read here.</summary>
internal sealed class PrivilegeRedisOptions
{
    /// <summary>How to reach it.</summary>
    public RedisOptions Server { get; init; } = new();

    /// <summary>Key whose value is the UID of a domain name; may use <c>{dname}</c>, <c>{user}</c> and <c>{realm}</c>.</summary>
    public string DNameKey { get; init; } = "dname:{dname}";

    /// <summary>Key whose value is the UID of a phone number; has <c>{number}</c>.</summary>
    public string NumberKey { get; init; } = "number:{number}";

    /// <summary>Key of the hash that describes a subscriber; has <c>{uid}</c>.</summary>
    public string SubscriberKey { get; init; } = "subscriber:{uid}";

    /// <summary>Key of the set of selectors that a subscriber hides from; has <c>{uid}</c>.</summary>
    public string BlackKey { get; init; } = "black:{uid}";

    /// <summary>Key of the set of selectors that alone may see a subscriber; has <c>{uid}</c>.</summary>
    public string WhiteKey { get; init; } = "white:{uid}";

    /// <summary>How often everything is read where the database sends no notifications; 100 ms to 1 h.</summary>
    public TimeSpan Sweep { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether two people of two realms would have one key.</summary>
    public bool MixesRealms => !DNameKey.Contains("{dname}", StringComparison.Ordinal) && !DNameKey.Contains("{realm}", StringComparison.Ordinal);

    /// <summary>Reads the section.</summary>
    public static PrivilegeRedisOptions Read(SettingsSection section)
    {
        var defaults = new PrivilegeRedisOptions();
        var options = new PrivilegeRedisOptions
        {
            Server = RedisOptions.Read(section),
            DNameKey = RedisKeyPattern.Read(section, "keys.dname", defaults.DNameKey, "dname", "user", "realm"),
            NumberKey = RedisKeyPattern.Read(section, "keys.number", defaults.NumberKey, "number"),
            SubscriberKey = RedisKeyPattern.Read(section, "keys.subscriber", defaults.SubscriberKey, "uid"),
            BlackKey = RedisKeyPattern.Read(section, "keys.black", defaults.BlackKey, "uid"),
            WhiteKey = RedisKeyPattern.Read(section, "keys.white", defaults.WhiteKey, "uid"),
            Sweep = section.Duration("sweep", defaults.Sweep, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1)),
        };
        if (!options.DNameKey.Contains("{dname}", StringComparison.Ordinal) && !options.DNameKey.Contains("{user}", StringComparison.Ordinal))
        {
            section.Refuse("keys.dname", "has no {dname} and no {user}: everybody would have one key");
        }

        return options;
    }
}
