namespace StatusDaemon.CommandLine;

/// <summary>What an import was asked to do.</summary>
/// <param name="File">The directory file, absolute.</param>
/// <param name="Apply">Whether to make the changes; else they are only shown.</param>
/// <param name="Prune">Whether what is not in the file is to go.</param>
internal sealed record PrivilegeImportRequest(string File, bool Apply, bool Prune, bool Json);
