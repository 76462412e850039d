namespace StatusDaemon.Settings;

/// <summary>A value that somebody gave to a setting.</summary>
/// <param name="Where"><c>file:line</c>, or the name of the environment variable: what a message begins with.</param>
/// <param name="Line">The line in the file; for a variable <see cref="int.MaxValue"/>: messages about variables come last.</param>
internal sealed record SettingValue(YamlNode Node, string Where, int Line)
{
    /// <summary>Whether it comes from the environment, where lists may be written with commas.</summary>
    public bool IsVariable => Line == int.MaxValue;
}
