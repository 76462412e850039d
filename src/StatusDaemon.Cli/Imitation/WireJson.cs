using System.Text.Json;
using System.Text.Json.Serialization;

namespace StatusDaemon.Imitation;

/// <summary>The JSON bodies that a test client reads and writes.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SandboxLogins))]
[JsonSerializable(typeof(DirectoryAnswer))]
[JsonSerializable(typeof(ServerMessage))]
[JsonSerializable(typeof(Publication))]
[JsonSerializable(typeof(Subscription))]
internal sealed partial class WireJson : JsonSerializerContext;

/// <summary>The answer of <c>GET /directory</c>.</summary>
internal sealed record DirectoryAnswer(IReadOnlyList<DirectoryAnswer.Entry> Subscribers)
{
    /// <summary>One subscriber; numbers, domain and name are not needed here.</summary>
    /// <param name="Dname">The name to show; null if there is none.</param>
    /// <param name="Dnames">The names that lead to it; null if that is <paramref name="Dname"/> alone.</param>
    internal sealed record Entry(string Uid, string? Dname, IReadOnlyList<string>? Dnames)
    {
        /// <summary>The names that lead to it.</summary>
        public IEnumerable<string> Names => Dnames ?? (Dname is null ? [] : [Dname]);
    }
}

/// <summary>A notification or an error: docs/protocol.md §4 and §5.</summary>
internal sealed record ServerMessage(int? Status, string? Publisher, JsonElement? Timestamp, string? Error, string? Detail);

/// <summary>A status of ours.</summary>
/// <param name="Timestamp">Unix time in seconds with microseconds.</param>
internal sealed record Publication(int Status, string Timestamp);

/// <summary>UIDs to watch, each with operation 9.</summary>
internal sealed record Subscription(IReadOnlyDictionary<string, int> Events);
