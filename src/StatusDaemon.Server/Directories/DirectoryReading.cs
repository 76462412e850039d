using System.Diagnostics.CodeAnalysis;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Settings;

namespace StatusDaemon.Directories;

/// <summary>One reading of a directory file: what was found so far, good and bad (format: docs/operations.md, "Directory file").</summary>
internal sealed class DirectoryReading(string path)
{
    /// <summary>Longest display name in characters.</summary>
    public const int MaxNameLength = 256;

    private const string Keys = "uid, dname, numbers, domain, name, black, white";

    private readonly List<string> problems = [];
    private readonly List<Subscriber> subscribers = [];
    private readonly Dictionary<Uid, int> uidLines = new(Uid.Comparer);
    private readonly Dictionary<DName, int> dnameLines = [];
    private readonly Dictionary<PhoneNumber, int> numberLines = [];

    /// <summary>Tries to read a value; false if the text is none of its type.</summary>
    private delegate bool Parser<T>(string text, [MaybeNullWhen(false)] out T value, out string problem);

    /// <summary>What is wrong, as <c>file:line: reason</c>, in the order of the file.</summary>
    public IReadOnlyList<string> Problems => problems;

    /// <summary>Who was found; of use only if there is no problem.</summary>
    public IReadOnlyList<Subscriber> Subscribers => subscribers;

    private bool IsFull => problems.Count >= DirectoryFile.MaxProblems;

    /// <summary>Reads the whole text, or up to the problem that is one too many.</summary>
    /// <exception cref="YamlSyntaxException">The text is not YAML from there on.</exception>
    public void Read(byte[] utf8)
    {
        var reader = new YamlReader(utf8);
        if (reader.IsEmpty)
        {
            Refuse(1, "the file is empty; 'subscribers: []' would say that nobody is there");
            return;
        }

        if (!reader.TryEnterMapping())
        {
            Refuse(reader.Line, "the file must hold 'subscribers:' with a list below");
            return;
        }

        var subscribersLine = 0;
        var mayBeCut = utf8 is not [.., (byte)'\n'];
        while (!reader.TryLeave())
        {
            var (key, line) = reader.ReadKey();
            if (key != "subscribers")
            {
                Refuse(line, $"'{key}' is unknown; the file holds 'subscribers:' alone");
                _ = reader.ReadNode();
            }
            else if (subscribersLine > 0)
            {
                Refuse(line, $"'subscribers' is there twice; the first is in line {subscribersLine}");
                return;
            }
            else
            {
                subscribersLine = line;
                mayBeCut &= !reader.IsBracketed;
                ReadSubscribers(reader, line);
            }

            if (IsFull)
            {
                return;
            }
        }

        reader.End();
        if (subscribersLine == 0)
        {
            Refuse(1, "'subscribers' is missing; 'subscribers: []' would say that nobody is there");
        }
        else if (mayBeCut && problems.Count == 0)
        {
            Refuse(reader.LineCount, "the last line does not end with a line break: a file that was cut short looks like this");
        }
    }

    /// <summary>Notes a problem.</summary>
    public void Refuse(int line, string problem)
    {
        if (!IsFull)
        {
            problems.Add($"{path}:{line}: {problem}");
        }
    }

    private void ReadSubscribers(YamlReader reader, int line)
    {
        if (!reader.TryEnterSequence())
        {
            _ = reader.ReadNode();
            Refuse(line, "'subscribers' must be a list; 'subscribers: []' would say that nobody is there");
            return;
        }

        while (!reader.TryLeave())
        {
            if (reader.ReadNode() is var node && node is YamlNode.Mapping map)
            {
                ReadSubscriber(map);
            }
            else
            {
                Refuse(node.Line, $"a subscriber must be a map with the keys {Keys}");
            }

            if (IsFull)
            {
                return;
            }
        }
    }

    private void ReadSubscriber(YamlNode.Mapping map)
    {
        var before = problems.Count;
        Uid? uid = null;
        DName dname = default;
        List<PhoneNumber> numbers = [];
        DomainName domain = default;
        var name = "";
        List<Selector> black = [], white = [];
        foreach (var (index, entry) in map.Entries.Index())
        {
            if (IsFull)
            {
                return;
            }

            if (map.Entries.Take(index).FirstOrDefault(other => other.Key == entry.Key) is { } first)
            {
                Refuse(entry.Line, $"'{entry.Key}' is there twice; the first is in line {first.Line}");
                continue;
            }

            switch (entry.Key)
            {
                case "uid":
                    uid = ReadOne<Uid>(entry, TryParseUid);
                    if (uid is not null)
                    {
                        Unique(uidLines, uid, entry.Line);
                    }

                    break;
                case "dname":
                    dname = ReadOne<DName>(entry, TryParseDName);
                    if (dname != default)
                    {
                        Unique(dnameLines, dname, entry.Line);
                    }

                    break;
                case "numbers":
                    numbers = ReadList<PhoneNumber>(entry, TryParseNumber, (number, line) => Unique(numberLines, number, line));
                    break;
                case "domain":
                    domain = ReadOne<DomainName>(entry, TryParseDomain, mayBeEmpty: true);
                    break;
                case "name":
                    name = ReadOne<string>(entry, TryParseName, mayBeEmpty: true) ?? "";
                    break;
                case "black":
                    black = ReadList<Selector>(entry, Selector.TryParse);
                    break;
                case "white":
                    white = ReadList<Selector>(entry, Selector.TryParse);
                    break;
                default:
                    Refuse(entry.Line, $"'{entry.Key}' is unknown{SettingsFile.Hint(entry.Key, Keys.Split(", "))}; a subscriber has {Keys}");
                    break;
            }
        }

        foreach (var required in (string[])["uid", "dname"])
        {
            if (!map.Entries.Any(entry => entry.Key == required))
            {
                Refuse(map.Line, $"the subscriber has no '{required}'");
            }
        }

        if (problems.Count == before && uid is not null)
        {
            subscribers.Add(new Subscriber
            {
                Uid = uid,
                DName = dname,
                Numbers = numbers.Count == 0 ? [] : numbers.ToArray(),
                Domain = domain,
                Name = name,
                Rules = black.Count + white.Count == 0 ? BlackWhiteRules.None : new BlackWhiteRules(black, white),
            });
        }
    }

    private T? ReadOne<T>(YamlEntry entry, Parser<T> parse, bool mayBeEmpty = false)
    {
        switch (entry.Value)
        {
            case YamlNode.Scalar { IsEmpty: true } when mayBeEmpty:
                return default;
            case YamlNode.Scalar { IsEmpty: false } scalar:
                if (parse(scalar.Text, out var value, out var problem))
                {
                    return value;
                }

                Refuse(scalar.Line, $"{entry.Key}: {problem}");
                return default;
            default:
                Refuse(entry.Line, $"'{entry.Key}' must be one text");
                return default;
        }
    }

    private List<T> ReadList<T>(YamlEntry entry, Parser<T> parse, Action<T, int>? found = null)
    {
        IReadOnlyList<YamlNode> items = entry.Value switch
        {
            YamlNode.Sequence list => list.Items,
            YamlNode.Scalar { IsEmpty: true, Text.Length: > 0 } => [], // 'null' or '~', where nothing at all may mean that the rest is missing
            _ => [entry.Value],
        };
        var values = new List<T>(items.Count);
        foreach (var item in items)
        {
            if (item is not YamlNode.Scalar { IsEmpty: false } scalar)
            {
                Refuse(item.Line, $"'{entry.Key}' must be one text or a list of texts; [] says none");
            }
            else if (!parse(scalar.Text, out var value, out var problem))
            {
                Refuse(scalar.Line, $"{entry.Key}: {problem}");
            }
            else
            {
                values.Add(value);
                found?.Invoke(value, scalar.Line);
            }
        }

        return values;
    }

    private void Unique<T>(Dictionary<T, int> lines, T value, int line)
        where T : notnull
    {
        if (!lines.TryAdd(value, line))
        {
            Refuse(line, $"{value} is there twice; the first is in line {lines[value]}");
        }
    }

    private static bool TryParseUid(string text, [MaybeNullWhen(false)] out Uid uid, out string problem)
    {
        problem = $"not a UID: 1 to {Uid.MaxBytes} bytes without control characters";
        return Uid.TryParse(text, out uid);
    }

    private static bool TryParseDName(string text, out DName dname, out string problem)
    {
        problem = $"'{text}' is not a domain name: a Kerberos principal such as alice@EXAMPLE.ORG";
        return DName.TryParse(text, out dname);
    }

    private static bool TryParseNumber(string text, out PhoneNumber number, out string problem)
    {
        problem = $"'{text}' is not a phone number: 1 to {PhoneNumber.MaxLength} digits, '+', '*' and '#'; several stand in a list, [1001, 1002]";
        return PhoneNumber.TryParse(text, out number);
    }

    private static bool TryParseDomain(string text, out DomainName domain, out string problem)
    {
        problem = $"'{text}' is not a domain such as example.org";
        return DomainName.TryParse(text, out domain);
    }

    private static bool TryParseName(string text, [MaybeNullWhen(false)] out string name, out string problem)
    {
        name = text;
        problem = $"at most {MaxNameLength} characters, none of them a control character";
        return text.Length <= MaxNameLength && !text.Any(char.IsControl);
    }
}
