namespace StatusDaemon.Imitation;

/// <summary>How long to wait before the next attempt to connect, as docs/protocol.md §13 has it: ten thousand clients come back at once after a restart.</summary>
internal static class BackOff
{
    /// <summary>A connection that lived as long lets the wait begin anew.</summary>
    public static readonly TimeSpan Settled = TimeSpan.FromMinutes(1);

    /// <summary>What a server that is overloaded is left in peace for, if it names no time.</summary>
    public static readonly TimeSpan Overloaded = TimeSpan.FromSeconds(5);

    private const double LongestSeconds = 60;
    private const double AfterRestartSeconds = 5;

    // 2^6 s is past the longest.
    private const int MostDoublings = 6;

    /// <summary>The wait before an attempt: what the server asked for, and a random time.</summary>
    /// <param name="failures">Connections that ended since the last one that settled, without the one that has just ended.</param>
    /// <param name="atLeast">What the server asked for; zero where it did not.</param>
    /// <param name="serverRestarts">Whether it closed with 1012.</param>
    /// <param name="chance">A random number from 0 to 1.</param>
    public static TimeSpan Before(int failures, TimeSpan atLeast, bool serverRestarts, double chance)
    {
        var most = Math.Min(Math.Pow(2, Math.Min(failures, MostDoublings)), LongestSeconds);
        if (serverRestarts)
        {
            most = Math.Max(most, AfterRestartSeconds);
        }

        // Added, so that those who were told the same time do not come at the same moment.
        return atLeast + TimeSpan.FromSeconds(most * chance);
    }
}
