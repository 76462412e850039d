namespace StatusDaemon.Load;

/// <summary>What the command line asks for.</summary>
/// <param name="Given">A server that runs already; null if only started ones are loaded.</param>
/// <param name="Statusd">The program to start; null if it is not to be started.</param>
/// <param name="Apart">Whether <paramref name="Statusd"/> is also started as a daemon and a gateway in processes of their own.</param>
/// <param name="Processes">Over how many processes connections are spread; null lets the limit of files decide.</param>
internal sealed record LoadRequest(
    IReadOnlyList<Scenario> Scenarios, Target? Given, string? Statusd, bool Apart, bool WithFloor, bool WithKestrel, int Runs, int? Processes, bool AsJson);
