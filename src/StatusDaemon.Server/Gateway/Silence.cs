namespace StatusDaemon.Gateway;

/// <summary>How long nothing has come from a client, and how often it was asked since (docs/protocol.md §11).</summary>
/// <remarks>Times are of the loop's clock, which counts only while the loop is awake: what came meanwhile is read after it.</remarks>
internal struct Silence
{
    /// <summary>Silence before each ping, and before the end.</summary>
    public static readonly TimeSpan PingAfter = TimeSpan.FromSeconds(30);

    private const int MaxPings = 2;

    private long heardAt; // ticks
    private int pings;

    /// <summary>When a ping is due, or the end.</summary>
    public readonly TimeSpan Due => TimeSpan.FromTicks(Volatile.Read(in heardAt)) + (PingAfter * (pings + 1));

    /// <summary>Notes that something came. Any thread may call.</summary>
    public void Hear(TimeSpan now)
    {
        pings = 0;
        Volatile.Write(ref heardAt, now.Ticks);
    }

    /// <summary>Counts a ping.</summary>
    /// <returns>False if it was asked as often as it may be: it is gone.</returns>
    public bool TryPing() => pings++ < MaxPings;
}
