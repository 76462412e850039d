namespace StatusDaemon.Settings;

/// <summary>A setting that a reader asked for: what the documentation of settings is checked against.</summary>
/// <param name="Key">Dotted, such as <c>offline.after</c>.</param>
/// <param name="Default">As it would be written in the file; empty means that it is not set.</param>
/// <param name="Allowed">In words.</param>
internal sealed record SettingKey(string Section, string Key, string Default, string Allowed);
