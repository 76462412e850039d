using StatusDaemon.Language;

namespace StatusDaemon.CommandLine;

/// <summary><c>statusd up</c>: all modules in one process.</summary>
internal static class UpCommand
{
    /// <summary>The command.</summary>
    public static ModuleCommand Create(Modules modules) => new("up", [], Text.ModuleUp)
    {
        RunAsync = (_, settings, stop) => modules.UpAsync(settings, stop),
    };
}
