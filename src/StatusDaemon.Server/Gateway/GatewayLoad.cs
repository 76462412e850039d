namespace StatusDaemon.Gateway;

/// <summary>How much one loop of a gateway has to do with, at one moment: what the metrics of docs/operations.md are made of.</summary>
internal sealed record GatewayLoad
{
    /// <summary>Clients connected.</summary>
    public int Clients { get; init; }

    /// <summary>Clients that do not read what they are sent.</summary>
    public int Behind { get; init; }

    /// <summary>Frames that were never written, since a newer one took their place.</summary>
    public long Conflated { get; init; }

    /// <summary>Publishers whose latest status waits, since the turn has no room for it.</summary>
    public int Overdue { get; init; }

    /// <summary>Shards that do not answer, or have not yet.</summary>
    public int Away { get; init; }

    /// <summary>Inputs that wait for their shards.</summary>
    public int Waiting { get; init; }

    /// <summary>Accepted statuses that are in no store yet.</summary>
    public int Unsaved { get; init; }
}
