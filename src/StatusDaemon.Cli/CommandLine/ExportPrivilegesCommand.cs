using System.CommandLine;
using StatusDaemon.Language;

namespace StatusDaemon.CommandLine;

/// <summary><c>statusd export-privileges FILE</c>: makes a directory file from the privilege database.</summary>
internal static class ExportPrivilegesCommand
{
    /// <summary>What stands for standard output in the place of a file.</summary>
    public const string StandardOutput = "-";

    /// <summary>The command.</summary>
    public static ModuleCommand Create(Modules modules, Option<bool> json) =>
        new("export-privileges", [], Text.ModuleExportPrivileges, json)
        {
            Operand = Text.ValueFile,
            RunAsync = (line, settings, stop) =>
            {
                var file = line.GetValue<string>(Text.ValueFile)!;
                return modules.ExportPrivilegesAsync(new PrivilegeExportRequest(file == StandardOutput ? null : Path.GetFullPath(file), line.GetValue(json)), settings, stop);
            },
        };
}
