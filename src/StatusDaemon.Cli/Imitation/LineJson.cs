using System.Text.Json.Serialization;

namespace StatusDaemon.Imitation;

/// <summary>A notification for programs; docs/operations.md lists the members.</summary>
internal sealed record NotificationLine(DateTimeOffset Time, string Publisher, string? Dname, string Status, string? Timestamp, double? DelayMs);

/// <summary>An error of the server for programs.</summary>
internal sealed record ErrorLine(DateTimeOffset Time, string Error, string? Detail);

/// <summary>The lines for programs.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(NotificationLine))]
[JsonSerializable(typeof(ErrorLine))]
internal sealed partial class LineJson : JsonSerializerContext;
