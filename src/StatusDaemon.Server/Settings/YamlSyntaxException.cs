namespace StatusDaemon.Settings;

/// <summary>A text is not YAML, or uses a part of YAML that has no place in our files.</summary>
/// <remarks>Thrown and caught within one reading of a file: a recursive reader ends at once, and its caller makes a line of words of it.</remarks>
internal sealed class YamlSyntaxException(int line, string message) : Exception(message)
{
    /// <summary>The line of the fault, counted from 1.</summary>
    public int Line { get; } = line;
}
