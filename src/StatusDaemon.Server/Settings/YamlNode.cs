namespace StatusDaemon.Settings;

/// <summary>A piece of a YAML file, with the line that it starts in, counted from 1.</summary>
internal abstract record YamlNode(int Line)
{
    /// <summary>A text, as it was written: <c>0123</c> keeps its zero.</summary>
    /// <param name="IsEmpty">Nothing stands there, or <c>~</c> or <c>null</c> without quotes.</param>
    internal sealed record Scalar(string Text, bool IsEmpty, int Line) : YamlNode(Line);

    /// <summary>A list, in block or flow style.</summary>
    internal sealed record Sequence(IReadOnlyList<YamlNode> Items, int Line) : YamlNode(Line);

    /// <summary>Keys with their values, in the order of the file. A key may be there twice: whoever reads it refuses that, with both lines.</summary>
    internal sealed record Mapping(IReadOnlyList<YamlEntry> Entries, int Line) : YamlNode(Line);
}

/// <summary>A key and its value.</summary>
internal sealed record YamlEntry(string Key, int Line, YamlNode Value);
