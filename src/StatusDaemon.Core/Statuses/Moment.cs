namespace StatusDaemon.Statuses;

/// <summary>Now, twice: what a wall clock shows people, and what durations are measured by.</summary>
/// <param name="Utc">The server's clock; it may be stepped.</param>
/// <param name="Steady">Time since some fixed point of this process; it never steps, so setting the clock takes nobody offline.</param>
public readonly record struct Moment(DateTimeOffset Utc, TimeSpan Steady)
{
    /// <summary>The same clocks later.</summary>
    public Moment After(TimeSpan later) => new(Utc + later, Steady + later);
}
