namespace StatusDaemon.Gateway;

/// <summary>Tells when a storm of connections is over, out of how many have come and gone so far.</summary>
internal sealed class Storm
{
    /// <summary>Connections that came or went and make a storm: some ten megabytes of garbage.</summary>
    public const int Many = 1000;

    /// <summary>Those of a second in which no storm is any more.</summary>
    public const int Few = 50;

    /// <summary>Seconds in a row with few: one alone may be a breath.</summary>
    public const int Quiet = 2;

    private long settled; // changes when the last one was over
    private long last;
    private int quiet;

    /// <summary>Notes a second. Call it every second.</summary>
    /// <param name="changes">Connections that have come or gone since the start.</param>
    /// <returns>Whether a storm ended with it.</returns>
    public bool IsOver(long changes)
    {
        quiet = changes - last <= Few ? quiet + 1 : 0;
        last = changes;
        if (quiet < Quiet || changes - settled < Many)
        {
            return false;
        }

        settled = changes;
        return true;
    }
}
