using StatusDaemon.Names;
using StatusDaemon.Statuses;

namespace StatusDaemon.Gateway;

/// <summary>What a client's message asks for, out of the reader's memory.</summary>
/// <param name="Events">Subscriptions and unsubscriptions, applied in order and before the status; no UID twice.</param>
internal readonly record struct ClientWish(Status? Status, ClientTimestamp Timestamp, IReadOnlyList<(Uid Uid, bool IsSubscribe)> Events);
