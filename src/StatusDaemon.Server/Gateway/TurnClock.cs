using StatusDaemon.Routing;
using StatusDaemon.Statuses;

namespace StatusDaemon.Gateway;

/// <summary>When a turn of a loop is, and how old what is said in it may be.</summary>
/// <remarks>A pause of the whole process makes nobody silent, or slow; but what lay in sockets meanwhile may be as old as the pause.</remarks>
internal sealed class TurnClock(Moment first)
{
    /// <summary>Between two turns, of which there is one a second at least: from here on the process was not there.</summary>
    private static readonly TimeSpan LongPause = TimeSpan.FromSeconds(2);

    /// <summary>How long after a pause what lay in sockets is read.</summary>
    private static readonly TimeSpan PauseCounts = TimeSpan.FromSeconds(1);

    private readonly AwakeClock awake = new(first.Steady);
    private TimeSpan at = first.Steady;
    private (TimeSpan From, TimeSpan To)? pause; // the last one

    /// <summary>Begins a turn.</summary>
    /// <returns>When, by the clock that counts only while the loop is awake.</returns>
    public Moment Begin(Moment always)
    {
        pause = always.Steady - at >= LongPause ? (at, always.Steady) : pause?.To + PauseCounts > always.Steady ? pause : null;
        at = always.Steady;
        return awake.Advance(always);
    }

    /// <summary>When what is taken in this turn was said, by the clock that always counts.</summary>
    /// <param name="hasLeft">Whether its client is known to send no more. Then what is read after a pause may be as old as that: it may have gone elsewhere since, and spoken there.</param>
    public TimeSpan SaidAt(bool hasLeft) => hasLeft && pause is { From: var from } ? from : at;
}
