using System.Diagnostics;
using System.Text.Json;
using StatusDaemon.Imitation;
using StatusDaemon.Language;

namespace StatusDaemon.CommandLine;

/// <summary>Carries privileges between a directory file and the database, and shows what that means.</summary>
internal sealed class PrivilegeRun(TextWriter output, TextWriter error)
{
    private const int Failed = 1;

    /// <summary>Shows what the file would change in the database, and does it if that was asked for.</summary>
    /// <returns>0 when it was done, or shown.</returns>
    public async Task<int> ImportAsync(PrivilegeImportRequest asked, string settingsPath, CancellationToken stop)
    {
        try
        {
            await using var transfer = await PrivilegeTransfer.OpenAsync(settingsPath, Environment.GetEnvironmentVariables(), stop);
            var changes = await transfer.CompareAsync(asked.File, stop);
            PrivilegeChange[] wanted = [.. changes.Where(change => asked.Prune || change.Kind != PrivilegeChangeKind.Removed)];
            if (asked.Apply)
            {
                await transfer.ApplyAsync(wanted, stop);
            }

            var sums = Enum.GetValues<PrivilegeChangeKind>().ToDictionary(kind => kind, kind => wanted.Count(change => change.Kind == kind));
            var result = new PrivilegeImportLine(
                transfer.Address, sums[PrivilegeChangeKind.Added], sums[PrivilegeChangeKind.Changed], sums[PrivilegeChangeKind.Removed], changes.Count - wanted.Length, asked.Apply);
            await (asked.Json ? WriteJsonAsync(changes, wanted, result) : WriteAsync(changes, result));
            return 0;
        }
        catch (StartException e)
        {
            throw new CommandFailedException(e.Message);
        }
    }

    /// <summary>Writes a directory file with what the database says.</summary>
    /// <returns>1 if a directory file can't say all of it.</returns>
    public async Task<int> ExportAsync(PrivilegeExportRequest asked, string settingsPath, CancellationToken stop)
    {
        try
        {
            await using var transfer = await PrivilegeTransfer.OpenAsync(settingsPath, Environment.GetEnvironmentVariables(), stop);
            var export = await transfer.ExportAsync(stop);
            if (asked.File is not { } file)
            {
                await output.WriteAsync(export.Yaml);
            }
            else
            {
                await File.WriteAllTextAsync(file + ".new", export.Yaml, stop);
                File.Move(file + ".new", file, overwrite: true); // a daemon that follows it never sees a part
            }

            foreach (var left in export.LeftOut)
            {
                await error.WriteLineAsync($"statusd: {Text.ExportLeftOut.With(left)}");
            }

            var report = asked.File is null ? error : output;
            await report.WriteLineAsync(asked.Json
                ? JsonSerializer.Serialize(new PrivilegeExportLine(transfer.Address, asked.File, export.Subscribers, export.LeftOut), PrivilegeJson.Default.PrivilegeExportLine)
                : Text.ExportDone.With(export.Subscribers, transfer.Address, asked.File ?? ExportPrivilegesCommand.StandardOutput));
            return export.LeftOut.Count == 0 ? 0 : Failed;
        }
        catch (Exception e) when (e is StartException or IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException(e.Message);
        }
    }

    private async Task WriteJsonAsync(IReadOnlyList<PrivilegeChange> changes, PrivilegeChange[] wanted, PrivilegeImportLine result)
    {
        var isWanted = wanted.ToHashSet();
        foreach (var change in changes)
        {
            var line = new PrivilegeChangeLine(change.Kind.ToString().ToLowerInvariant(), change.Uid, change.Key, change.Part, change.Before, change.After, result.Applied && isWanted.Contains(change));
            await output.WriteLineAsync(JsonSerializer.Serialize(line, PrivilegeJson.Default.PrivilegeChangeLine));
        }

        await output.WriteLineAsync(JsonSerializer.Serialize(result, PrivilegeJson.Default.PrivilegeImportLine));
    }

    private async Task WriteAsync(IReadOnlyList<PrivilegeChange> changes, PrivilegeImportLine result)
    {
        foreach (var ofOne in changes.GroupBy(change => change.Uid))
        {
            await output.WriteLineAsync(ofOne.Key);
            foreach (var change in ofOne)
            {
                await output.WriteLineAsync("  " + Describe(change) + (result.Left > 0 && change.Kind == PrivilegeChangeKind.Removed ? "  " + Text.ImportStays : ""));
            }
        }

        await output.WriteLineAsync(
            changes.Count == 0 ? Text.ImportNothing.With(result.Database)
            : (result.Applied ? Text.ImportDone : Text.ImportWould).With(result.Database, result.Added, result.Changed, result.Removed));
        if (result.Left > 0)
        {
            await output.WriteLineAsync(Text.ImportLeft.With(result.Left));
        }
    }

    private static string Describe(PrivilegeChange change)
    {
        var what = change.Part is null ? change.Key : $"{change.Key} {change.Part}";
        return change switch
        {
            { Kind: PrivilegeChangeKind.Changed } => $"~ {what}: {change.Before} -> {change.After}",
            { Kind: PrivilegeChangeKind.Added, After: { } value } => $"+ {what}: {value}",
            { Kind: PrivilegeChangeKind.Added } => $"+ {what}",
            { Kind: PrivilegeChangeKind.Removed, Before: { } value } => $"- {what}: {value}",
            { Kind: PrivilegeChangeKind.Removed } => $"- {what}",
            _ => throw new UnreachableException(),
        };
    }
}
