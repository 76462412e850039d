namespace StatusDaemon.Load;

/// <summary>What comes in the measured time; all times in microseconds.</summary>
internal sealed class Measurement
{
    private long from = long.MaxValue;
    private long to = long.MaxValue;
    private long expected;
    private long arrived;

    /// <summary>How long deliveries were on the way, of publications made in the measured time.</summary>
    public Histogram Latencies { get; } = new();

    /// <summary>Deliveries that came within the measured time.</summary>
    public long Deliveries { get; private set; }

    /// <summary>Of the publications made in the measured time: deliveries that have not come.</summary>
    public long Skipped => expected - arrived;

    /// <summary>How long it was.</summary>
    public double Seconds => (to - from) / 1e6;

    /// <summary>Begins it.</summary>
    public void Begin(long now) => from = now;

    /// <summary>Ends it; deliveries of its publications may still come.</summary>
    public void End(long now) => to = now;

    /// <summary>Notes a publication.</summary>
    public void Publish(long time, int watchers) => expected += time >= from && to == long.MaxValue ? watchers : 0;

    /// <summary>Notes a delivery.</summary>
    public void Deliver(long time, long now)
    {
        if (now >= from && to == long.MaxValue)
        {
            Deliveries++;
        }

        if (time >= from && time < to)
        {
            arrived++;
            Latencies.Add(now - time);
        }
    }
}
