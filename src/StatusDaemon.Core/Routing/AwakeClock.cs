using StatusDaemon.Statuses;

namespace StatusDaemon.Routing;

/// <summary>Time in which a router or a gateway was awake: the steady clock without what passed while its process was stopped, frozen or starved, or waited for its store.</summary>
/// <remarks>
/// Silence is a fact only for who listens. Whoever was away finds what came in that time waiting behind its first tick, so what it did not hear
/// meanwhile says nothing about anyone, and everything that it counts goes on from where it was. Of the time between two inputs at most
/// <see cref="RouterSettings.TickInterval"/> counts: the clock of one that is called as often as ever is the steady one, it is never ahead of it, and
/// nobody is silent for n seconds before n ticks have passed without a word.
/// </remarks>
/// <param name="started">Where it begins, by the steady clock.</param>
public sealed class AwakeClock(TimeSpan started)
{
    private TimeSpan steady = started;
    private TimeSpan awake = started;

    /// <summary>Takes the moment of an input.</summary>
    /// <param name="now">Not before that of an earlier input, by its steady clock.</param>
    /// <returns>The same moment, with the time awake in place of the steady one.</returns>
    public Moment Advance(Moment now)
    {
        var passed = now.Steady - steady;
        steady = now.Steady;
        awake += passed < RouterSettings.TickInterval ? passed : RouterSettings.TickInterval;
        return now with { Steady = awake };
    }
}
