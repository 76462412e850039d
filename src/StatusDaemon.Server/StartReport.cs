namespace StatusDaemon;

/// <summary>What runs, for the one who started it.</summary>
/// <param name="Address">Where the server listens, such as <c>http://127.0.0.1:8080</c>.</param>
/// <param name="SandboxRealms">Realms of the sandbox; empty where a keytab is set.</param>
/// <param name="Login">How people log in: services with their key versions, and realms.</param>
/// <param name="Names">Two subscribers of the directory to try with; fewer if it has fewer.</param>
public sealed record StartReport(Uri Address, IReadOnlyList<string> SandboxRealms, string Login, IReadOnlyList<string> Names);
