using StatusDaemon.Protocol;
using StatusDaemon.Routing;
using static StatusDaemon.Privileges.SmallDirectories;

namespace StatusDaemon.Gateway;

public sealed class ClientDrainTests
{
    private static readonly TimeSpan Began = TimeSpan.FromHours(1);

    private readonly List<int> closed = [];

    [Fact]
    public void Many_are_closed_evenly_over_the_time_and_each_once()
    {
        var drain = Drain(10_000, over: TimeSpan.FromSeconds(10));
        for (var tenth = 0; tenth <= 100; tenth++)
        {
            drain.CloseSome(Began + TimeSpan.FromSeconds(0.1 * tenth));
            Assert.InRange(closed.Count, Math.Min(100 * tenth, 10_000), Math.Min((100 * tenth) + 101, 10_000));
        }

        Assert.Equal(Timeout.Infinite, drain.Patience);
        Assert.Equal(Enumerable.Range(0, 10_000), closed);
    }

    [Theory, InlineData(100, 10), InlineData(100, 0), InlineData(0, 10)]
    public void Few_are_closed_at_once(int clients, int seconds)
    {
        var drain = Drain(clients, TimeSpan.FromSeconds(seconds));
        drain.CloseSome(Began);
        Assert.Equal(clients, closed.Count);
        Assert.Equal(Timeout.Infinite, drain.Patience);
    }

    [Fact]
    public void Without_a_time_all_are_closed_without_a_pause_some_a_turn()
    {
        var drain = Drain(18_000, TimeSpan.Zero);
        var turns = 0;
        do
        {
            drain.CloseSome(Began);
            turns++;
        }
        while (drain.Patience == 0);

        Assert.Equal(18_000, closed.Count);
        Assert.Equal(18, turns);
    }

    [Fact]
    public void Whoever_comes_late_to_its_turn_makes_up_for_it()
    {
        var drain = Drain(5_000, TimeSpan.FromSeconds(10));
        drain.CloseSome(Began + TimeSpan.FromSeconds(9));
        Assert.Equal(0, drain.Patience);
        drain.CloseSome(Began + TimeSpan.FromMinutes(9));
        Assert.Equal(2_000, closed.Count);
    }

    private ClientDrain Drain(int count, TimeSpan over) => new(
        new LoopInput.Drain(CloseCode.ServiceRestart, "", over),
        [.. Enumerable.Range(0, count).Select(number => new Client(number, new ConnectionId(new GatewayId(1), number), UidOf("a"), default, new CountingSink(), caller: null))],
        Began,
        (client, _, _) => closed.Add(client.Slot));
}
