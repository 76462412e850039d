using StatusDaemon.Imitation;

namespace StatusDaemon.CommandLine;

/// <summary>What the command line starts; it sees none of their insides.</summary>
/// <param name="DefaultSettings">Path of the settings file where <c>--config</c> names none.</param>
/// <param name="RunServerAsync">Runs parts of the server in one process with these settings, until it is told to end; returns the exit code.</param>
/// <param name="ReadClientDefaults">Reads what a test client needs of the settings; throws <see cref="CommandFailedException"/> with the reason where they are wrong.</param>
/// <param name="TestClientAsync">Runs a test client until the token or its request ends it; returns the exit code.</param>
/// <param name="ImportPrivilegesAsync">Fills the privilege database of these settings from a file, or shows how; returns the exit code.</param>
/// <param name="ExportPrivilegesAsync">Makes a file from it; returns the exit code.</param>
internal sealed record Modules(
    string DefaultSettings,
    Func<ServerModules, string, CancellationToken, Task<int>> RunServerAsync,
    Func<string, ClientDefaults> ReadClientDefaults,
    Func<TestClientRequest, CancellationToken, Task<int>> TestClientAsync,
    Func<PrivilegeImportRequest, string, CancellationToken, Task<int>> ImportPrivilegesAsync,
    Func<PrivilegeExportRequest, string, CancellationToken, Task<int>> ExportPrivilegesAsync);
