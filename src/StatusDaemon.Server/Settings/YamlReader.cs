using System.Text;
using System.Text.Unicode;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace StatusDaemon.Settings;

/// <summary>Reads YAML piece by piece: a file of 100,000 subscribers never is one tree.</summary>
/// <remarks>
/// Refused though they are YAML: anchors and aliases (a few lines could stand for gigabytes), more than one document, keys that
/// are not plain texts, and nesting deeper than <see cref="MaxDepth"/>. Tags are ignored: the key says what type a value has.
/// </remarks>
internal sealed class YamlReader
{
    /// <summary>Deepest nesting of lists and maps.</summary>
    public const int MaxDepth = 16;

    private readonly Parser parser;
    private ParsingEvent current;

    /// <summary>Starts at the top of a text, with or without a byte order mark.</summary>
    /// <exception cref="YamlSyntaxException">The text is not UTF-8, is indented with tabs, or does not even begin as YAML.</exception>
    public YamlReader(byte[] utf8)
    {
        RefuseOtherEncodings(utf8);
        RefuseTabs(utf8);
        LineCount = Math.Max(1, utf8.AsSpan().Count((byte)'\n') + (utf8 is [.., (byte)'\n'] ? 0 : 1));
        parser = new Parser(new Scanner(new StreamReader(new MemoryStream(utf8), Encoding.UTF8), skipComments: true));
        current = new StreamStart();
        Advance();
        Advance();
        IsEmpty = current is StreamEnd;
        if (!IsEmpty)
        {
            Advance();
        }
    }

    /// <summary>Whether there is nothing but white space and comments.</summary>
    public bool IsEmpty { get; }

    /// <summary>Lines of the text, at least one.</summary>
    public int LineCount { get; }

    /// <summary>The line of what comes next, counted from 1.</summary>
    public int Line => (int)current.Start.Line;

    /// <summary>Whether what comes next stands in brackets, which say where it ends.</summary>
    public bool IsBracketed => current is SequenceStart { Style: SequenceStyle.Flow } or MappingStart { Style: MappingStyle.Flow };

    /// <summary>Enters the map that comes next, if one does.</summary>
    public bool TryEnterMapping() => TryTake<MappingStart>();

    /// <summary>Enters the list that comes next, if one does.</summary>
    public bool TryEnterSequence() => TryTake<SequenceStart>();

    /// <summary>Leaves the list or map that was entered, if it has nothing more.</summary>
    public bool TryLeave() => TryTake<MappingEnd>() || TryTake<SequenceEnd>();

    /// <summary>Reads the key that comes next.</summary>
    public (string Key, int Line) ReadKey()
    {
        if (current is not Scalar key)
        {
            throw new YamlSyntaxException(Line, "a key must be a plain word");
        }

        RefuseAnchor(key);
        var line = Line;
        Advance();
        return (key.Value, line);
    }

    /// <summary>Reads the whole value that comes next.</summary>
    public YamlNode ReadNode() => ReadNode(0);

    /// <summary>Reads past the end of the document.</summary>
    /// <exception cref="YamlSyntaxException">Something follows it.</exception>
    public void End()
    {
        Advance();
        if (current is not StreamEnd)
        {
            throw new YamlSyntaxException(Line, "a second document begins; a file holds one");
        }
    }

    private YamlNode ReadNode(int depth)
    {
        var line = Line;
        if (depth > MaxDepth)
        {
            throw new YamlSyntaxException(line, $"lists and maps are nested deeper than {MaxDepth}");
        }

        switch (current)
        {
            case Scalar scalar:
                RefuseAnchor(scalar);
                Advance();
                return new YamlNode.Scalar(scalar.Value, scalar is { Style: ScalarStyle.Plain, Value: "" or "~" or "null" }, line);
            case SequenceStart:
                _ = TryEnterSequence();
                var items = new List<YamlNode>();
                while (!TryLeave())
                {
                    items.Add(ReadNode(depth + 1));
                }

                return new YamlNode.Sequence(items, line);
            case MappingStart:
                _ = TryEnterMapping();
                var entries = new List<YamlEntry>();
                while (!TryLeave())
                {
                    var (key, keyLine) = ReadKey();
                    entries.Add(new YamlEntry(key, keyLine, ReadNode(depth + 1)));
                }

                return new YamlNode.Mapping(entries, line);
            case AnchorAlias alias:
                throw new YamlSyntaxException(line, $"the alias '*{alias.Value}' stands here; write the value out, or put the text in quotes");
            default:
                throw new YamlSyntaxException(line, "a value is missing");
        }
    }

    private bool TryTake<T>()
        where T : ParsingEvent
    {
        if (current is not T)
        {
            return false;
        }

        if (current is NodeEvent node)
        {
            RefuseAnchor(node);
        }

        Advance();
        return true;
    }

    private void RefuseAnchor(NodeEvent node)
    {
        if (!node.Anchor.IsEmpty)
        {
            throw new YamlSyntaxException(Line, $"the anchor '&{node.Anchor}' stands here; write the value out, or put the text in quotes");
        }
    }

    private void Advance()
    {
        try
        {
            _ = parser.MoveNext();
            current = parser.Current ?? new StreamEnd(current.End, current.End);
        }
        catch (YamlException fault)
        {
            // At the end of a text YamlDotNet counts a line that nobody can see.
            throw new YamlSyntaxException((int)Math.Clamp(Math.Max(fault.Start.Line, fault.End.Line), 1, LineCount), $"not valid YAML: {fault.Message.TrimEnd('.')}");
        }
        catch (Exception fault) when (fault is InvalidOperationException or ArgumentException)
        {
            // YamlDotNet throws these where a line inside { } or [ ] ends too early, and at malformed tags.
            throw new YamlSyntaxException((int)current.End.Line, "not valid YAML from here on: is a bracket not closed?");
        }
    }

    private static void RefuseOtherEncodings(ReadOnlySpan<byte> text)
    {
        if (Utf8.IsValid(text))
        {
            return;
        }

        var line = 1;
        while (text.IndexOf((byte)'\n') is var end and >= 0 && Utf8.IsValid(text[..end]))
        {
            text = text[(end + 1)..];
            line++;
        }

        throw new YamlSyntaxException(line, "not UTF-8");
    }

    /// <summary>YamlDotNet takes some of them for the end of a section, silently; no rule of YAML is as easily broken.</summary>
    private static void RefuseTabs(ReadOnlySpan<byte> text)
    {
        for (var from = 0; text[from..].IndexOf((byte)'\t') is var tab and >= 0; from += tab + 1)
        {
            var before = text[..(from + tab)];
            var start = before.LastIndexOf((byte)'\n') + 1;
            if (!before[start..].ContainsAnyExcept((byte)' ', (byte)'\t'))
            {
                throw new YamlSyntaxException(before.Count((byte)'\n') + 1, "a tab stands in the indentation; YAML wants spaces");
            }
        }
    }
}
