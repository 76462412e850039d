using StatusDaemon.Names;

namespace StatusDaemon.Auth;

/// <summary>Who is on the line.</summary>
/// <param name="Uid">The directory's, never the client's word, except in trusted-header mode.</param>
/// <param name="DName">The name that logged in, one of those that lead to the subscriber; empty in trusted-header mode.</param>
/// <param name="IsKnown">Whether the directory knew the subscriber at the time of the login; false only in trusted-header mode.</param>
/// <param name="TicketEnd">When the ticket ends; null in trusted-header mode.</param>
internal sealed record Caller(Uid Uid, DName DName, bool IsKnown, DateTimeOffset? TicketEnd);
