using StatusDaemon.Names;
using StatusDaemon.Storage;

namespace StatusDaemon.Redis;

public sealed class RungKeysTests
{
    [Fact]
    public void Each_waits_once_the_longest_waiting_first_with_its_first_time()
    {
        var rung = new RungKeys<Uid>(capacity: 10, Uid.Comparer);
        rung.Add(StoredStatuses.Uid("a"), 1);
        rung.Add(StoredStatuses.Uid("b"), 2);
        rung.Add(StoredStatuses.Uid("a"), 3);
        Assert.Equal((2, 1L), (rung.Count, rung.OldestAt));
        Assert.Equal([new Ring<Uid>(StoredStatuses.Uid("a"), 1)], rung.Take(1));
        Assert.Equal(1, rung.OldestAt); // in hand
        rung.Done();
        Assert.Equal(2, rung.OldestAt);
        rung.Add(StoredStatuses.Uid("a"), 4);
        Assert.Equal([new Ring<Uid>(StoredStatuses.Uid("b"), 2), new Ring<Uid>(StoredStatuses.Uid("a"), 4)], rung.Take(9));
        rung.Done();
        Assert.Null(rung.OldestAt);
        Assert.Empty(rung.Take(1));
    }

    [Fact]
    public void What_is_put_back_comes_first_again_with_its_first_time_also_if_it_rang_meanwhile()
    {
        var rung = new RungKeys<Uid>(capacity: 10, Uid.Comparer);
        rung.Add(StoredStatuses.Uid("a"), 1);
        rung.Add(StoredStatuses.Uid("b"), 2);
        rung.Take(2);
        var waiting = rung.Rung;
        rung.Add(StoredStatuses.Uid("c"), 3);
        rung.Add(StoredStatuses.Uid("b"), 4);
        rung.PutBack();
        Assert.True(waiting.IsCompleted);
        Assert.Equal(1, rung.OldestAt);
        Assert.Equal([new Ring<Uid>(StoredStatuses.Uid("a"), 1), new Ring<Uid>(StoredStatuses.Uid("b"), 2), new Ring<Uid>(StoredStatuses.Uid("c"), 3)], rung.Take(9));
    }

    [Fact]
    public void Whoever_waits_is_woken_by_the_next_ring_and_not_while_nothing_waits()
    {
        var rung = new RungKeys<Uid>(capacity: 10, Uid.Comparer);
        var waiting = rung.Rung;
        Assert.False(waiting.IsCompleted);
        rung.Add(StoredStatuses.Uid("a"), 1);
        Assert.True(waiting.IsCompleted);
        rung.Add(StoredStatuses.Uid("b"), 1);
        rung.Take(1);
        Assert.True(rung.Rung.IsCompleted);
        rung.Take(1);
        Assert.False(rung.Rung.IsCompleted);
    }

    [Fact]
    public void What_is_one_too_many_is_dropped_and_told()
    {
        var rung = new RungKeys<Uid>(capacity: 2, Uid.Comparer);
        rung.Add(StoredStatuses.Uid("a"), 1);
        rung.Add(StoredStatuses.Uid("b"), 1);
        rung.Add(StoredStatuses.Uid("a"), 1);
        Assert.False(rung.HasOverflown());
        rung.Add(StoredStatuses.Uid("c"), 1);
        Assert.Equal(2, rung.Count);
        Assert.True(rung.HasOverflown());
        Assert.False(rung.HasOverflown());
    }
}
