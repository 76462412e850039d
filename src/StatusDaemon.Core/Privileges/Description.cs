using StatusDaemon.Names;

namespace StatusDaemon.Privileges;

/// <summary>What a privilege service says of a subscriber for display; whom a name or number leads to is said elsewhere (docs/protocol.md §9).</summary>
/// <param name="DName">The domain name to show; empty if it says none.</param>
/// <param name="Numbers">The phone numbers to show; null if it says nothing of them.</param>
/// <param name="Domain">The domain that the subscriber belongs to; empty means the home domain.</param>
/// <param name="Name">Display name; empty if there is none.</param>
public sealed record Description(DName DName = default, IReadOnlyList<PhoneNumber>? Numbers = null, DomainName Domain = default, string Name = "");
