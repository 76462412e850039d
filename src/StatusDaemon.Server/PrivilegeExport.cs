namespace StatusDaemon;

/// <summary>A directory file made from the privilege database.</summary>
/// <param name="Yaml">Its text.</param>
/// <param name="Subscribers">How many it has.</param>
/// <param name="LeftOut">What a directory file can't say, or what can't be read, each in words.</param>
public sealed record PrivilegeExport(string Yaml, int Subscribers, IReadOnlyList<string> LeftOut);
