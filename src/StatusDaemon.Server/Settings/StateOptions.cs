namespace StatusDaemon.Settings;

/// <summary>Section <c>STATE</c>: where the daemon keeps what must survive it.</summary>
internal sealed class StateOptions
{
    /// <summary>Folder of the SQLite file, the replay cache, the sandbox realm, the members' certificates and the sockets; made with mode 0700 if it is not there.</summary>
    /// <remarks>Absolute once it is read; the default is relative to the settings file.</remarks>
    public string Path { get; init; } = "../var";

    /// <summary>Reads the section.</summary>
    public static StateOptions Read(SettingsSection section) =>
        new() { Path = section.Path("path", new StateOptions().Path) };
}
