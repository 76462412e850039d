namespace StatusDaemon.Statuses;

/// <summary>What kind of hand set a status. The numbers are stored and never change.</summary>
public enum SourceKind : byte
{
    /// <summary>A client connection of the subscriber itself. Only such a status ends by itself when its connections are gone.</summary>
    Client = 1,

    /// <summary>Another program that wrote the status database, such as a PBX.</summary>
    External = 2,

    /// <summary>An administrator, through the command line.</summary>
    Administrator = 3,

    /// <summary>Another domain, through synchronisation.</summary>
    Peer = 4,

    /// <summary>The daemon, because the subscriber's last connection has been gone for <c>SERVICE.offline.after</c>.</summary>
    Offline = 5,
}

/// <summary>Who set a status, through what, and when by the server's clock: what "why is 1005 red?" is answered from.</summary>
/// <param name="Actor">The principal, administrator, peer or program; never empty.</param>
/// <param name="Through">The way it came, such as a gateway's name and the client's address; may be empty.</param>
/// <param name="At">Kept as a moment, without the offset that it is written with.</param>
public readonly record struct ChangeSource(SourceKind Kind, string Actor, string Through, DateTimeOffset At)
{
    private readonly long ticks = At.UtcTicks; // half of what a DateTimeOffset takes

    /// <summary>When, in UTC.</summary>
    public DateTimeOffset At => new(ticks, TimeSpan.Zero);
}
