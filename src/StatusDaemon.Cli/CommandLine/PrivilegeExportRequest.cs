namespace StatusDaemon.CommandLine;

/// <summary>What an export was asked to do.</summary>
/// <param name="File">The directory file to write, absolute; null for standard output.</param>
internal sealed record PrivilegeExportRequest(string? File, bool Json);
