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
    /// <param name="Worked">Whether the connection had been open, so that the back-off starts anew.</param>
    internal sealed record Lost(string Reason, bool Worked) : Ending;

    /// <summary>Trying again would end the same way.</summary>
    internal sealed record Refused(string Reason) : Ending;
}
