using StatusDaemon.Names;
using StatusDaemon.Statuses;

namespace StatusDaemon.Protocol;

/// <summary>What a watcher is told of a publisher: docs/protocol.md §4.</summary>
/// <param name="Timestamp">The publisher's own time, as it came; the default value leaves it out.</param>
public readonly record struct Notification(Status Status, Uid Publisher, ClientTimestamp Timestamp);
