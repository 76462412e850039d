namespace StatusDaemon.Protocol;

/// <summary>How much one client may ask of a gateway; section <c>SERVICE.limits</c> of the settings.</summary>
/// <remarks>Each limit has a named outcome at its bound: docs/protocol.md §8.</remarks>
public sealed record Limits
{
    /// <summary>Events that cost as much as a message of their own: about the work that a status makes.</summary>
    public const int EventsPerMessage = 100;

    /// <summary>Largest message in bytes after defragmentation; above it 1009. 1 KiB to 16 MiB.</summary>
    public int MessageBytes { get; init; } = 256 * 1024;

    /// <summary>Watches of one connection; above it <c>too-many-subscriptions</c>. 1 to 1,000,000.</summary>
    public int SubscriptionsPerConnection { get; init; } = 10_000;

    /// <summary>Open connections of one subscriber; the upgrade above it gets 429. 1 to 10,000.</summary>
    public int ConnectionsPerSubscriber { get; init; } = 16;

    /// <summary>Messages a second of one connection on average; above it <c>rate-limited</c>. The burst is twice that. 1 to 1,000,000.</summary>
    public int MessagesPerSecond { get; init; } = 1_000;

    /// <summary>Messages at once before the rate counts.</summary>
    public int MessageBurst => MessagesPerSecond * 2;

    /// <summary>Time from accept to the complete upgrade request. 1 s to 5 min.</summary>
    public TimeSpan Handshake { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A reader that takes nothing for so long is closed 1013. 1 s to 1 h.</summary>
    public TimeSpan Stalled { get; init; } = TimeSpan.FromSeconds(60);
}
