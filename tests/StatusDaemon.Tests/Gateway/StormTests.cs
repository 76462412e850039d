namespace StatusDaemon.Gateway;

public sealed class StormTests
{
    [Theory]
    [InlineData("as many as make no storm", new[] { Storm.Many - 1, 0, 0 }, new int[0])]
    [InlineData("one second of many, then none", new[] { Storm.Many, 0, 0, 0 }, new[] { 2 })]
    [InlineData("many over a while, then few", new[] { 400, 400, 400, 400, Storm.Few, 0 }, new[] { 5 })]
    [InlineData("few, but for long", new[] { 500, 0, 499, 0, 1, 0 }, new[] { 4 })]
    [InlineData("one after the other", new[] { 5000, 0, 0, 5000, 0, 51, 10, 0, 0 }, new[] { 2, 7 })]
    [InlineData("no end", new[] { 5000, 51, 51, 51 }, new int[0])]
    public void Its_end_is_seen_once(string what, int[] changes, int[] ends)
    {
        var storm = new Storm();
        var total = 0L;
        Assert.Equal(ends, Enumerable.Range(0, changes.Length).Where(second => storm.IsOver(total += changes[second])));
        Assert.NotEmpty(what);
    }
}
