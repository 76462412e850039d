using StatusDaemon.Language;

namespace StatusDaemon.CommandLine;

/// <summary>The commands that run the server: whole, or a part of it.</summary>
internal static class ServerCommand
{
    /// <summary><c>statusd up</c>.</summary>
    public static ModuleCommand Up(Modules modules) => Create(modules, ServerModules.All, "up", [], Text.ModuleUp);

    /// <summary><c>statusd daemon</c>.</summary>
    public static ModuleCommand Daemon(Modules modules) => Create(modules, ServerModules.Daemon, "daemon", ["--daemon", "-d"], Text.ModuleDaemon);

    /// <summary><c>statusd ws-server</c>.</summary>
    public static ModuleCommand WsServer(Modules modules) => Create(modules, ServerModules.Gateway, "ws-server", ["--ws-server", "-ws"], Text.ModuleWsServer);

    private static ModuleCommand Create(Modules modules, ServerModules parts, string name, string[] flags, string description) => new(name, flags, description)
    {
        RunAsync = (_, settings, stop) => modules.RunServerAsync(parts, settings, stop),
    };
}
