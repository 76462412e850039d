using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using StatusDaemon.Privileges;

namespace StatusDaemon.Directories;

/// <summary>Writes a directory file (docs/operations.md, "Directory file").</summary>
internal static class DirectoryYaml
{
    private static readonly JavaScriptEncoder Readable = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    /// <summary>The text of a file with these subscribers, in the order of their UIDs; each has one domain name.</summary>
    public static string Write(IEnumerable<Subscriber> subscribers)
    {
        var yaml = new StringBuilder("subscribers:");
        var isEmpty = true;
        foreach (var subscriber in subscribers.OrderBy(one => one.Uid.ToString(), StringComparer.Ordinal))
        {
            isEmpty = false;
            yaml.Append("\n  - uid: ").Append(Scalar(subscriber.Uid)).Append("\n    dname: ").Append(Scalar(subscriber.DName));
            WriteList("numbers", subscriber.Numbers);
            if (!subscriber.Domain.IsEmpty)
            {
                yaml.Append("\n    domain: ").Append(Scalar(subscriber.Domain));
            }

            if (subscriber.Name.Length > 0)
            {
                yaml.Append("\n    name: ").Append(Scalar(subscriber.Name));
            }

            WriteList("black", subscriber.Rules.Black);
            WriteList("white", subscriber.Rules.White);
        }

        return yaml.Append(isEmpty ? " []\n" : "\n").ToString();

        void WriteList<T>(string key, IReadOnlyList<T> entries)
        {
            if (entries.Count > 0)
            {
                yaml.Append("\n    ").Append(key).Append(": [").AppendJoin(", ", entries.Select(entry => Scalar(entry!))).Append(']');
            }
        }
    }

    /// <summary>In double quotes, as in JSON, which YAML reads alike; plain where nothing in it could mean something else.</summary>
    private static string Scalar(object value)
    {
        var text = value.ToString()!;
        var isPlain = text.Contains('@', StringComparison.Ordinal) && char.IsAsciiLetter(text[0]) && text.All(character => char.IsAsciiLetterOrDigit(character) || character is '@' or '.' or '_' or '-');
        return isPlain ? text : $"\"{JsonEncodedText.Encode(text, Readable)}\"";
    }
}
