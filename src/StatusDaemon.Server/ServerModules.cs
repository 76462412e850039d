namespace StatusDaemon;

/// <summary>The modules that a process runs.</summary>
[Flags]
public enum ServerModules
{
    /// <summary>The routing daemon.</summary>
    Daemon = 1,

    /// <summary>The WebSocket status server.</summary>
    Gateway = 2,

    /// <summary>Both, which need nothing else then.</summary>
    All = Daemon | Gateway,
}
