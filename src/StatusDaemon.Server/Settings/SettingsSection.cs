using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using StatusDaemon.Names;

namespace StatusDaemon.Settings;

/// <summary>Reads a text that somebody wrote; false if it is not of the type.</summary>
internal delegate bool TextParser<T>(string text, [MaybeNullWhen(false)] out T value);

/// <summary>One section of the settings, or one map of a list in it: typed values, and a note of all that is wrong.</summary>
/// <remarks>
/// Each getter names a key as known, and answers with the fallback where the key is not set or its value is wrong: the options that come of
/// it are used only if <see cref="SettingsFile.Finish"/> found nothing. A list may be written as one value.
/// </remarks>
/// <param name="name">Upper case; for a map in a list with its place, such as <c>SYNC.peers[0]</c>.</param>
/// <param name="line">Where it begins; 0 if the file does not have it.</param>
/// <param name="hasVariables">Whether variables override its keys; those of a map in a list have none.</param>
internal sealed class SettingsSection(SettingsFile file, string name, int line, bool hasVariables)
{
    private const int ShownCharacters = 60;

    private readonly Dictionary<string, SettingValue> values = [];
    private readonly List<SettingKey> known = [];
    private readonly List<SettingsSection> parts = [];

    /// <summary>Whether somebody gave a value to the key.</summary>
    public bool IsSet(string key) => Find(key) is not null;

    /// <summary>Any value that a parser takes.</summary>
    /// <param name="shown">The fallback as it would be written.</param>
    /// <param name="allowed">In words, for messages and documentation.</param>
    public T Value<T>(string key, T fallback, string shown, string allowed, TextParser<T> parse) =>
        TryGet(key, shown, allowed, parse, out var value) ? value : fallback;

    /// <summary>A value that may be missing; written without a value it is missing too.</summary>
    public T? Optional<T>(string key, string allowed, TextParser<T> parse)
        where T : class =>
        TryGet(key, "", allowed, parse, out var value) ? value : null;

    /// <summary>A text that may be missing.</summary>
    public string? Text(string key, string allowed) => Optional<string>(key, allowed, TryParseText);

    /// <summary>A whole number.</summary>
    public int Number(string key, int fallback, int min, int max) =>
        Value(key, fallback, Written(fallback), $"{min} to {max}", (string text, out int value) =>
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= min && value <= max);

    /// <summary>A TCP port; 0 takes a free one where that is allowed.</summary>
    public int Port(string key, int fallback, int min = 0) => Number(key, fallback, min, ushort.MaxValue);

    /// <summary>Yes or no.</summary>
    public bool Flag(string key, bool fallback) =>
        Value<bool>(key, fallback, fallback ? "true" : "false", "true or false", bool.TryParse);

    /// <summary>A duration.</summary>
    public TimeSpan Duration(string key, TimeSpan fallback, TimeSpan min, TimeSpan max) =>
        Value(key, fallback, Quantity.Format(fallback), Range(min, max), (string text, out TimeSpan time) =>
            Quantity.TryParseTime(text, out time) && time >= min && time <= max);

    /// <summary>A duration, or <c>never</c>, which is null.</summary>
    public TimeSpan? DurationOrNever(string key, TimeSpan? fallback, TimeSpan min, TimeSpan max) =>
        Value(key, fallback, fallback is { } shown ? Quantity.Format(shown) : "never", $"{Range(min, max)}, or never", (string text, out TimeSpan? value) =>
        {
            var timed = Quantity.TryParseTime(text, out var time) && time >= min && time <= max;
            value = timed ? time : null;
            return timed || text == "never";
        });

    /// <summary>A size in bytes, at most 2 GiB.</summary>
    public int Bytes(string key, int fallback, int min, int max) =>
        Value(key, fallback, Quantity.Format(fallback), $"{Quantity.Format(min)} to {Quantity.Format(max)}", (string text, out int value) =>
        {
            var good = Quantity.TryParseSize(text, out var bytes) && bytes >= min && bytes <= max;
            value = good ? (int)bytes : 0;
            return good;
        });

    /// <summary>One of several words.</summary>
    public T Choice<T>(string key, T fallback, params (string Word, T Value)[] choices)
        where T : struct =>
        Value(key, fallback, choices.First(choice => choice.Value.Equals(fallback)).Word, string.Join(", ", choices.Select(choice => choice.Word)), (string text, out T value) =>
        {
            var at = Array.FindIndex(choices, choice => choice.Word.Equals(text, StringComparison.OrdinalIgnoreCase));
            value = at < 0 ? default : choices[at].Value;
            return at >= 0;
        });

    /// <summary>An address to listen on.</summary>
    public IPAddress Address(string key, IPAddress fallback) =>
        Value<IPAddress>(key, fallback, fallback.ToString(), "an IP address such as 127.0.0.1 or ::, or localhost", TryParseAddress);

    /// <summary>A path, made absolute: a relative one is relative to the folder of the settings file, also in a variable.</summary>
    public string Path(string key, string fallback) =>
        Absolute(Value<string>(key, fallback, fallback, "a path", TryParsePath));

    /// <summary>A path that may be missing.</summary>
    public string? OptionalPath(string key, string allowed = "a path") =>
        Optional<string>(key, allowed, TryParsePath) is { } path ? Absolute(path) : null;

    /// <summary>The path of a file that must be there.</summary>
    public string? ExistingFile(string key, string allowed)
    {
        var path = OptionalPath(key, allowed);
        if (path is not null && !File.Exists(path))
        {
            Refuse(key, $"there is no file {path}, or this user may not see it");
        }

        return path;
    }

    /// <summary>A password that may be missing. No message shows it.</summary>
    public Secret? Secret(string key) =>
        Optional(key, "a text", (string text, [MaybeNullWhen(false)] out Secret secret) =>
        {
            secret = new Secret(text);
            return true;
        });

    /// <summary>A domain that may be missing, which is the empty one.</summary>
    public DomainName Domain(string key) =>
        TryGet<DomainName>(key, "", "a domain such as example.org", DomainName.TryParse, out var domain) ? domain : default;

    /// <summary>A list, empty if it is missing.</summary>
    public IReadOnlyList<T> List<T>(string key, string allowed, TextParser<T> parse)
    {
        Know(key, "", allowed);
        if (Find(key) is not { } value)
        {
            return [];
        }

        var list = new List<T>();
        foreach (var item in Items(key, value))
        {
            if (item is not YamlNode.Scalar { IsEmpty: false } scalar)
            {
                Refuse(key, At(value, item), "a list of values is wanted, each one text or number", allowed);
            }
            else if (parse(scalar.Text, out var parsed))
            {
                list.Add(parsed);
            }
            else
            {
                Refuse(key, At(value, item), $"{Shown(scalar.Text)} is not allowed", allowed);
            }
        }

        return list;
    }

    /// <summary>A list of maps, empty if it is missing.</summary>
    public IReadOnlyList<SettingsSection> Maps(string key, string allowed)
    {
        Know(key, "", allowed);
        if (Find(key) is not { } value)
        {
            return [];
        }

        var maps = new List<SettingsSection>();
        foreach (var item in Items(key, value))
        {
            if (item is not YamlNode.Mapping map)
            {
                Refuse(key, At(value, item), "a list of maps is wanted", allowed);
                continue;
            }

            var part = new SettingsSection(file, $"{name}.{key}[{maps.Count}]", value.IsVariable ? int.MaxValue : map.Line, hasVariables: false);
            part.Take(map, value.IsVariable ? value.Where : null);
            parts.Add(part);
            maps.Add(part);
        }

        return maps;
    }

    /// <summary>Notes that a value, good by itself, does not fit the others.</summary>
    public void Refuse(string key, string problem) => Refuse(key, Find(key), problem, allowed: null);

    /// <summary>Takes what the file says.</summary>
    /// <param name="variable">The variable that the map comes from, instead of the file.</param>
    internal void Take(YamlNode.Mapping map, string? variable = null) => Take("", map, variable);

    internal void Finish()
    {
        foreach (var (key, value) in values)
        {
            if (known.Exists(setting => setting.Key == key))
            {
                continue;
            }

            var group = known.FindAll(setting => setting.Key.StartsWith($"{key}.", StringComparison.Ordinal));
            var parent = known.Find(setting => key.StartsWith($"{setting.Key}.", StringComparison.Ordinal));
            if (group.Count > 0 && value.Node is YamlNode.Scalar { IsEmpty: true } or YamlNode.Mapping)
            {
                continue; // offline: with nothing, or {}, below
            }

            if (group.Count > 0)
            {
                Refuse(key, value, "holds keys, not a value", string.Join(", ", group.Select(setting => setting.Key)));
            }
            else if (parent is not null)
            {
                Refuse(parent.Key, value, "holds a value, not keys", parent.Allowed);
            }
            else
            {
                var words = known.Select(setting => setting.Key).ToArray();
                Refuse(key, value, $"unknown key{SettingsFile.Hint(key, words)}", string.Join(", ", words));
            }
        }

        parts.ForEach(part => part.Finish());
    }

    private void Take(string prefix, YamlNode.Mapping map, string? variable)
    {
        foreach (var entry in map.Entries)
        {
            var key = prefix + entry.Key;
            var value = variable is null
                ? new SettingValue(entry.Value, $"{file.Path}:{entry.Line}", entry.Line)
                : new SettingValue(entry.Value, variable, int.MaxValue);
            if (entry.Value is YamlNode.Mapping { Entries.Count: > 0 } inner)
            {
                Take($"{key}.", inner, variable);
            }
            else if (!values.TryAdd(key, value))
            {
                Refuse(key, value, variable is null ? $"is set twice; the first is in line {values[key].Line}" : "is set twice", allowed: null);
            }
        }
    }

    private SettingValue? Find(string key) =>
        (hasVariables ? file.Variable(name, key) : null) ?? values.GetValueOrDefault(key);

    private void Know(string key, string shown, string allowed)
    {
        var setting = new SettingKey(name, key, shown, allowed);
        known.Add(setting);
        if (hasVariables)
        {
            file.Add(setting);
        }
    }

    private bool TryGet<T>(string key, string shown, string allowed, TextParser<T> parse, [MaybeNullWhen(false)] out T value)
    {
        value = default;
        Know(key, shown, allowed);
        var given = Find(key);
        switch (given?.Node)
        {
            case null:
                return false;
            case YamlNode.Scalar { IsEmpty: true }:
                if (shown.Length > 0)
                {
                    Refuse(key, given, "has no value", allowed);
                }

                return false;
            case YamlNode.Scalar scalar:
                if (!parse(scalar.Text, out value))
                {
                    Refuse(key, given, $"{Shown(scalar.Text)} is not allowed", allowed);
                    return false;
                }

                return true;
            default:
                Refuse(key, given, "one value is wanted", allowed);
                return false;
        }
    }

    private IReadOnlyList<YamlNode> Items(string key, SettingValue value)
    {
        var node = value.Node;
        if (value.IsVariable && node is YamlNode.Scalar { IsEmpty: false } variable)
        {
            if (variable.Text.TrimStart() is not ['[' or '{', ..])
            {
                return [.. variable.Text.Split(',', StringSplitOptions.TrimEntries).Select(text => new YamlNode.Scalar(text, text.Length == 0, 0))];
            }

            if (!SettingsFile.TryParseFlow(variable.Text, out node, out var problem))
            {
                Refuse(key, value, problem, allowed: null);
            }
        }

        return node switch
        {
            YamlNode.Scalar { IsEmpty: true } => [],
            YamlNode.Sequence sequence => sequence.Items,
            _ => [node],
        };
    }

    private SettingValue At(SettingValue whole, YamlNode item) =>
        whole.IsVariable ? whole : new SettingValue(item, $"{file.Path}:{item.Line}", item.Line);

    private void Refuse(string key, SettingValue? value, string problem, string? allowed)
    {
        var (at, where) = (value, line) switch
        {
            (not null, _) => (value.Line, value.Where),
            (null, 0) => (0, file.Path),
            (null, int.MaxValue) => (line, name),
            _ => (line, $"{file.Path}:{line}"),
        };
        file.Add(at, $"{where}: {name}.{key}: {problem}{(allowed is null ? "" : $"; allowed: {allowed}")}");
    }

    private string Absolute(string path) =>
        System.IO.Path.GetFullPath(path, System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(file.Path))!);

    // A wrong value is shown, but not where somebody may have put a password: into a URL, or the options of a Redis client.
    private static string Shown(string text)
    {
        if (text.Contains("://", StringComparison.Ordinal) && text.Contains('@', StringComparison.Ordinal)
            || text.Contains("password", StringComparison.OrdinalIgnoreCase))
        {
            return "this value";
        }

        var line = string.Concat(text.Take(ShownCharacters).Select(c => char.IsControl(c) ? '?' : c));
        return text.Length > ShownCharacters ? $"'{line}…'" : $"'{line}'";
    }

    private static string Written(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Range(TimeSpan min, TimeSpan max) => $"{Quantity.Format(min)} to {Quantity.Format(max)}";

    private static bool TryParseText(string text, out string value)
    {
        value = text;
        return text.Length > 0;
    }

    private static bool TryParsePath(string text, out string value)
    {
        value = text;
        return text.Length > 0 && !text.Contains('\0', StringComparison.Ordinal);
    }

    private static bool TryParseAddress(string text, [MaybeNullWhen(false)] out IPAddress address)
    {
        if (text == "localhost")
        {
            address = IPAddress.Loopback;
            return true;
        }

        // IPAddress also takes "1" for 0.0.0.1; nobody means that.
        return IPAddress.TryParse(text, out address) && (text.Contains(':', StringComparison.Ordinal) || text.Count(c => c == '.') == 3);
    }
}
