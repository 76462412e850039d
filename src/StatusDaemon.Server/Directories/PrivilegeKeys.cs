using System.Text;
using System.Text.Unicode;
using StatusDaemon.Names;
using StatusDaemon.Redis;

namespace StatusDaemon.Directories;

/// <summary>How the keys of the privilege database are named.</summary>
internal sealed class PrivilegeKeys
{
    private readonly PrivilegeRedisOptions options;
    private readonly string? realm;
    private readonly (RedisKeyPattern Pattern, PrivilegeKind Kind)[] patterns;

    /// <param name="realm">The realm of names whose keys have none; null where they have.</param>
    public PrivilegeKeys(PrivilegeRedisOptions options, string? realm)
    {
        this.options = options;
        this.realm = realm;
        patterns =
        [
            .. ((RedisKeyPattern, PrivilegeKind)[])
            [
                (options.DNameKey, PrivilegeKind.DName), (options.NumberKey, PrivilegeKind.Number), (options.SubscriberKey, PrivilegeKind.Description),
                (options.BlackKey, PrivilegeKind.Rules), (options.WhiteKey, PrivilegeKind.Rules),
            ],
        ];
        Array.Sort(patterns, (one, other) => other.Pattern.LiteralLength.CompareTo(one.Pattern.LiteralLength)); // "subscriber:a@b" fits {user}@{realm} too
    }

    /// <summary>Patterns of Redis' own that all keys fit.</summary>
    public IReadOnlyList<string> Globs => [.. patterns.Select(entry => entry.Pattern.Glob)];

    /// <summary>Reads what a key speaks of.</summary>
    /// <param name="problem">What is wrong with a key of ours; null for one that is none of ours.</param>
    public bool TryRead(ReadOnlySpan<byte> utf8, out PrivilegeItem item, out string? problem)
    {
        item = default;
        problem = null;
        var key = Encoding.UTF8.GetString(utf8);
        foreach (var (pattern, kind) in patterns)
        {
            if (!pattern.TryRead(key, out var values))
            {
                continue;
            }

            var name = kind == PrivilegeKind.DName ? DNameOf(pattern, values) : values[0];
            problem = !Utf8.IsValid(utf8) ? "its name is no UTF-8" : kind switch
            {
                PrivilegeKind.DName => DName.TryParse(name, out _) ? null : $"'{name}' is no domain name",
                PrivilegeKind.Number => PhoneNumber.TryParse(name, out _) ? null : $"'{name}' is no phone number",
                _ => Uid.TryParse(name, out _) ? null : $"'{name}' is no UID",
            };
            item = new PrivilegeItem(kind, name);
            return problem is null;
        }

        return false;
    }

    /// <summary>The key of an item that has one.</summary>
    public string KeyOf(PrivilegeItem item) => item.Kind switch
    {
        PrivilegeKind.DName when DName.TryParse(item.Name, out var dname) => options.DNameKey.Key(field => field switch
        {
            "user" => dname.User.ToString(),
            "realm" => dname.Realm.ToString(),
            _ => item.Name,
        }),
        PrivilegeKind.Number => options.NumberKey.Key(item.Name),
        PrivilegeKind.Description => options.SubscriberKey.Key(item.Name),
        _ => throw new ArgumentException($"{item} has no key", nameof(item)),
    };

    /// <summary>The keys of a subscriber's lists.</summary>
    public (string Black, string White) RulesOf(string uid) => (options.BlackKey.Key(uid), options.WhiteKey.Key(uid));

    /// <summary>Whether a domain name can be written into a key and read from it again.</summary>
    public bool CanName(DName dname) =>
        TryRead(Encoding.UTF8.GetBytes(KeyOf(new PrivilegeItem(PrivilegeKind.DName, dname.ToString()))), out var read, out _) && read == new PrivilegeItem(PrivilegeKind.DName, dname.ToString());

    private string DNameOf(RedisKeyPattern pattern, string[] values)
    {
        string? user = null, realmOfKey = realm;
        foreach (var (field, value) in pattern.Fields.Zip(values))
        {
            switch (field)
            {
                case "dname":
                    return value;
                case "user":
                    user = value;
                    break;
                default:
                    realmOfKey = value;
                    break;
            }
        }

        return $"{user}@{realmOfKey}";
    }
}
