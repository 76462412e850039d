namespace StatusDaemon.Routing;

/// <summary>A connection of a subscriber that the shard owns, and where it comes from, for "who set it, through what".</summary>
/// <param name="Connection">Its place in the process' table of connections.</param>
/// <param name="Actor">The subscriber's principal.</param>
/// <param name="Through">Gateway and client address.</param>
/// <remarks>24 bytes in a chunk of many; its slot in the lease table names it. The default value is a slot that nobody has.</remarks>
internal record struct Lease(int Connection, string? Actor, string? Through)
{
    /// <summary>The lease table's.</summary>
    public int Link;

    /// <summary>Whether no lease has this slot.</summary>
    public readonly bool IsFree => Actor is null;
}
