namespace StatusDaemon.Routing;

public sealed class SlotChunksTests
{
    [Fact]
    public void An_item_stays_where_it_is_while_the_table_grows()
    {
        var chunks = new SlotChunks<int>();
        Assert.Equal(0, chunks.Add());
        ref var first = ref chunks[0];
        for (var slot = 1; slot < 10_000; slot++)
        {
            Assert.Equal(slot, chunks.Add());
            Assert.Equal(0, chunks[slot]);
            chunks[slot] = slot;
        }

        first = -7;
        Assert.Equal(10_000, chunks.Count);
        Assert.Equal([-7, .. Enumerable.Range(1, 9_999)], Enumerable.Range(0, chunks.Count).Select(slot => chunks[slot]));
    }
}
