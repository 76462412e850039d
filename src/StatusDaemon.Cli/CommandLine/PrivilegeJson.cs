using System.Text.Json.Serialization;

namespace StatusDaemon.CommandLine;

/// <summary>One entry of the privilege database that differs, for programs; docs/operations.md lists the members.</summary>
internal sealed record PrivilegeChangeLine(string Change, string Uid, string Key, string? Part, string? Before, string? After, bool Made);

/// <summary>What came of an import, for programs.</summary>
internal sealed record PrivilegeImportLine(string Database, int Added, int Changed, int Removed, int Left, bool Applied);

/// <summary>What came of an export, for programs.</summary>
internal sealed record PrivilegeExportLine(string Database, string? File, int Subscribers, IReadOnlyList<string> LeftOut);

/// <summary>The lines for programs.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(PrivilegeChangeLine))]
[JsonSerializable(typeof(PrivilegeImportLine))]
[JsonSerializable(typeof(PrivilegeExportLine))]
internal sealed partial class PrivilegeJson : JsonSerializerContext;
