namespace StatusDaemon.Imitation;

/// <summary>How long to wait before the next attempt to connect: doubling and jittered, so that a thousand clients do not come back at once.</summary>
internal static class BackOff
{
    /// <summary>The longest wait.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan First = TimeSpan.FromSeconds(0.5);

    /// <summary>The wait before an attempt.</summary>
    /// <param name="attempt">0 after a connection that worked, then counting up.</param>
    /// <param name="jitter">A random number from 0 to 1.</param>
    /// <returns>From half of the doubled wait to all of it.</returns>
    public static TimeSpan Before(int attempt, double jitter)
    {
        var most = Math.Min(First.TotalSeconds * Math.Pow(2, attempt), Longest.TotalSeconds);
        return TimeSpan.FromSeconds(most * (0.5 + (jitter / 2)));
    }
}
