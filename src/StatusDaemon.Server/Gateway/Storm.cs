namespace StatusDaemon.Gateway;

/// <summary>Tells when a storm of connections is over, out of how many have come and gone so far.</summary>
internal sealed class Storm
{
    /// <summary>Connections that came or went and make a storm: some ten megabytes of garbage.</summary>
    public const int Many = 1000;

    /// <summary>Those of a second in which no storm is any more.</summary>
    public const int Few = 50;

    private long settled; // changes when the last one was over
    private long last;

    /// <summary>Notes a second. Call it every second.</summary>
    /// <param name="changes">Connections that have come or gone since the start.</param>
    /// <returns>Whether a storm ended with it.</returns>
    public bool IsOver(long changes)
    {
        var isQuiet = changes - last <= Few;
        last = changes;
        if (!isQuiet || changes - settled < Many)
        {
            return false;
        }

        settled = changes;
        return true;
    }
}
