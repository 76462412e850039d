using System.CommandLine;
using StatusDaemon.Language;

namespace StatusDaemon.CommandLine;

/// <summary><c>statusd import-privileges FILE</c>: fills the privilege database from a directory file.</summary>
internal static class ImportPrivilegesCommand
{
    /// <summary>The command.</summary>
    public static ModuleCommand Create(Modules modules, Option<bool> json)
    {
        var apply = ValueOption.Switch("--apply", Text.Apply);
        var prune = ValueOption.Switch("--prune", Text.Prune);
        var command = new ModuleCommand("import-privileges", [], Text.ModuleImportPrivileges, apply, prune, json)
        {
            Operand = Text.ValueFile,
            RunAsync = (line, settings, stop) => modules.ImportPrivilegesAsync(
                new PrivilegeImportRequest(Path.GetFullPath(line.GetValue<string>(Text.ValueFile)!), line.GetValue(apply), line.GetValue(prune), line.GetValue(json)), settings, stop),
        };
        return command;
    }
}
