namespace StatusDaemon.Transport;

public sealed class ArrivalsTests
{
    [Fact]
    public void Who_found_no_room_is_told_once_when_there_is_some()
    {
        var told = 0;
        var arrivals = new Arrivals(2) { Room = () => told++ };
        var first = arrivals.Enter();
        Assert.True(arrivals.HasRoom);
        first.Dispose();
        first.Dispose();
        Assert.Equal(0, arrivals.Count);

        var (second, third) = (arrivals.Enter(), arrivals.Enter());
        Assert.False(arrivals.HasRoom);
        Assert.Equal(0, told);
        second.Dispose();
        third.Dispose();
        Assert.Equal(1, told);
        Assert.True(arrivals.HasRoom);
    }

    /// <summary>One accepts as long as there is room and then until it is told; others leave meanwhile. A lost word would leave it waiting for ever.</summary>
    [Fact]
    public async Task No_word_is_lost_between_looking_for_room_and_waiting_for_it()
    {
        const int Most = 3, Connections = 100_000;
        using var room = new SemaphoreSlim(0);
        using var here = new SemaphoreSlim(0);
        var arrivals = new Arrivals(Most) { Room = () => room.Release() };
        var entered = new System.Collections.Concurrent.ConcurrentQueue<Arrivals.Arrival>();
        var leaving = Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(async () =>
        {
            for (var left = 0; left < Connections / 2; left++)
            {
                await here.WaitAsync(TestContext.Current.CancellationToken);
                Assert.True(entered.TryDequeue(out var one));
                one.Dispose();
            }
        })));
        for (var accepted = 0; accepted < Connections; accepted++)
        {
            while (!arrivals.HasRoom)
            {
                await room.WaitAsync(TestContext.Current.CancellationToken);
            }

            Assert.InRange(arrivals.Count, 0, Most - 1);
            entered.Enqueue(arrivals.Enter());
            here.Release();
        }

        await leaving;
        Assert.Equal(0, arrivals.Count);
    }
}
