using StatusDaemon.Redis;
using StatusDaemon.Settings;

namespace StatusDaemon.Directories;

/// <summary>Section <c>PRIVILEGE_REDIS</c>: the database of the privilege service, which is only read here.</summary>
internal sealed class PrivilegeRedisOptions
{
    /// <summary>How to reach it.</summary>
    public RedisOptions Server { get; init; } = new();

    /// <summary>Key whose value is the UID of a domain name; may use <c>{dname}</c>, <c>{user}</c> and <c>{realm}</c>.</summary>
    public RedisKeyPattern DNameKey { get; init; } = RedisKeyPattern.Parse("dname:{dname}", "dname", "user", "realm");

    /// <summary>Key whose value is the UID of a phone number; has <c>{number}</c>.</summary>
    public RedisKeyPattern NumberKey { get; init; } = RedisKeyPattern.Parse("number:{number}", "number");

    /// <summary>Key of the hash that describes a subscriber; has <c>{uid}</c>.</summary>
    public RedisKeyPattern SubscriberKey { get; init; } = RedisKeyPattern.Parse("subscriber:{uid}", "uid");

    /// <summary>Key of the set of selectors that a subscriber hides from; has <c>{uid}</c>.</summary>
    public RedisKeyPattern BlackKey { get; init; } = RedisKeyPattern.Parse("black:{uid}", "uid");

    /// <summary>Key of the set of selectors that alone may see a subscriber; has <c>{uid}</c>.</summary>
    public RedisKeyPattern WhiteKey { get; init; } = RedisKeyPattern.Parse("white:{uid}", "uid");

    /// <summary>How often everything is read where the database sends no notifications; 100 ms to 1 h.</summary>
    public TimeSpan Sweep { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether two people of two realms would have one key.</summary>
    public bool MixesRealms => !DNameKey.Fields.Contains("dname") && !DNameKey.Fields.Contains("realm");

    /// <summary>All patterns, with their keys in the settings.</summary>
    public IReadOnlyList<(string Key, RedisKeyPattern Pattern)> Patterns =>
        [("keys.dname", DNameKey), ("keys.number", NumberKey), ("keys.subscriber", SubscriberKey), ("keys.black", BlackKey), ("keys.white", WhiteKey)];

    /// <summary>Reads the section.</summary>
    public static PrivilegeRedisOptions Read(SettingsSection section)
    {
        var defaults = new PrivilegeRedisOptions();
        var options = new PrivilegeRedisOptions
        {
            Server = RedisOptions.Read(section),
            DNameKey = RedisKeyPattern.Read(section, "keys.dname", defaults.DNameKey.Text, "dname", "user", "realm"),
            NumberKey = RedisKeyPattern.Read(section, "keys.number", defaults.NumberKey.Text, "number"),
            SubscriberKey = RedisKeyPattern.Read(section, "keys.subscriber", defaults.SubscriberKey.Text, "uid"),
            BlackKey = RedisKeyPattern.Read(section, "keys.black", defaults.BlackKey.Text, "uid"),
            WhiteKey = RedisKeyPattern.Read(section, "keys.white", defaults.WhiteKey.Text, "uid"),
            Sweep = section.Duration("sweep", defaults.Sweep, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1)),
        };
        if (!options.DNameKey.Fields.Contains("dname") && !options.DNameKey.Fields.Contains("user"))
        {
            section.Refuse("keys.dname", "has no {dname} and no {user}: everybody would have one key");
        }

        foreach (var same in options.Patterns.GroupBy(entry => entry.Pattern.Glob).Where(same => same.Count() > 1))
        {
            section.Refuse(same.Last().Key, $"is named as {same.First().Key} is: nobody could tell their keys apart");
        }

        return options;
    }
}
