namespace StatusDaemon.Routing;

/// <summary>The forms of the messages between members: each message begins with the version of its form.</summary>
/// <remarks>
/// A member reads two, its own and the one before, so that the members of a cluster can be upgraded one after the other. Gateways speak first, in the newest form that they know; a shard
/// that does not know it answers with the <see cref="WireRange"/> that it reads, else in the form in which it was asked.
/// </remarks>
public static class WireVersion
{
    /// <summary>What a message has where nothing else was agreed on.</summary>
    public const byte Newest = 5;

    /// <summary>The one before: without the age of a <see cref="RouterInput.Restore"/>.</summary>
    public const byte Oldest = 4;
}
