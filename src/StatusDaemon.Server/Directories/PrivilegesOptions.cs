using StatusDaemon.Settings;

namespace StatusDaemon.Directories;

/// <summary>Where subscribers and their rules come from.</summary>
internal enum PrivilegesSource
{
    /// <summary>The file <c>PRIVILEGES.file</c>.</summary>
    File,

    /// <summary>The privilege service's database of section <c>PRIVILEGE_REDIS</c>.</summary>
    Redis,
}

/// <summary>Section <c>PRIVILEGES</c> of the settings.</summary>
internal sealed class PrivilegesOptions
{
    /// <summary>Where subscribers and their rules come from.</summary>
    public PrivilegesSource Source { get; init; } = PrivilegesSource.File;

    /// <summary>The directory file.</summary>
    /// <remarks>Absolute once it is read; the default is relative to the settings file.</remarks>
    public string File { get; init; } = "directory.yml";

    /// <summary>Whether a watcher of whom no rule speaks sees a publisher.</summary>
    public bool AllowsByDefault { get; init; } = true;

    /// <summary>Reads the section.</summary>
    public static PrivilegesOptions Read(SettingsSection section)
    {
        var defaults = new PrivilegesOptions();
        return new PrivilegesOptions
        {
            Source = section.Choice("source", defaults.Source, ("file", PrivilegesSource.File), ("redis", PrivilegesSource.Redis)),
            File = section.Path("file", defaults.File),
            AllowsByDefault = section.Choice("default", defaults.AllowsByDefault, ("allow", true), ("deny", false)),
        };
    }
}
