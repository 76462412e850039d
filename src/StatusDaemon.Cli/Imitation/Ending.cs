namespace StatusDaemon.Imitation;

/// <summary>How a connection ended, and what a client does next.</summary>
internal abstract record Ending
{
    private Ending()
    {
    }

    /// <summary>All was done that was asked for.</summary>
    internal sealed record Done : Ending;

    /// <summary>The server, or the way to it, is away for now: try again.</summary>
    /// <param name="AtLeast">The wait that the server asked for.</param>
    /// <param name="ServerRestarts">Whether all of its clients come back now.</param>
    internal sealed record Lost(string Reason, TimeSpan AtLeast = default, bool ServerRestarts = false) : Ending;

    /// <summary>Trying again would end the same way.</summary>
    /// <param name="OnceMore">Unless it was the ticket: one more login, with a fresh one, tells.</param>
    internal sealed record Refused(string Reason, bool OnceMore = false) : Ending;
}
