using StatusDaemon.Statuses;

namespace StatusDaemon.Daemon;

/// <summary>The two clocks of routing, from one time provider.</summary>
internal sealed class SteadyClock(TimeProvider time)
{
    private readonly long start = time.GetTimestamp();

    /// <summary>Now, by both.</summary>
    public Moment Now => new(time.GetUtcNow(), time.GetElapsedTime(start));
}
