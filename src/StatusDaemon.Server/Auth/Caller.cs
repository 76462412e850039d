using StatusDaemon.Names;
using StatusDaemon.Privileges;

namespace StatusDaemon.Auth;

/// <summary>Who is on the line.</summary>
/// <param name="Uid">The directory's, never the client's word, except in trusted-header mode.</param>
/// <param name="Subscriber">The directory's entry at the time of the login; null only in trusted-header mode, for a UID that no directory knows.</param>
/// <param name="TicketEnd">When the ticket ends; null in trusted-header mode.</param>
internal sealed record Caller(Uid Uid, Subscriber? Subscriber, DateTimeOffset? TicketEnd);
