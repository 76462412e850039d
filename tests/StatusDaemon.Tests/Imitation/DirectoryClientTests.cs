namespace StatusDaemon.Imitation;

public sealed class DirectoryClientTests
{
    [Fact]
    public void A_question_has_at_most_a_hundred_names()
    {
        var queries = DirectoryClient.Queries([.. Enumerable.Range(0, 250).Select(i => $"u{i}@R")]).ToArray();

        Assert.Equal([100, 100, 50], queries.Select(query => query.Split('&').Length));
        Assert.StartsWith("dname=u0%40R&dname=u1%40R&", queries[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Nobody_is_no_question() => Assert.Empty(DirectoryClient.Queries([]));
}
