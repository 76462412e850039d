using StatusDaemon.Statuses;

namespace StatusDaemon.Gateway;

public sealed class TurnClockTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private Moment always = new(DateTimeOffset.UnixEpoch, TimeSpan.FromHours(1));

    [Fact]
    public void What_lay_in_a_socket_during_a_pause_may_be_as_old_as_the_pause_for_a_second_after_it()
    {
        var turns = new TurnClock(always);
        var before = After(turns, Second);
        Assert.Equal(before, turns.SaidAt(hasLeft: true));

        var woken = After(turns, Second * 5);
        Assert.Equal((before, woken), (turns.SaidAt(hasLeft: true), turns.SaidAt(hasLeft: false)));
        After(turns, Second * 0.9);
        Assert.Equal(before, turns.SaidAt(hasLeft: true));
        var later = After(turns, Second * 0.2);
        Assert.Equal(later, turns.SaidAt(hasLeft: true));
    }

    private TimeSpan After(TurnClock turns, TimeSpan time)
    {
        always = always.After(time);
        turns.Begin(always);
        return always.Steady;
    }
}
