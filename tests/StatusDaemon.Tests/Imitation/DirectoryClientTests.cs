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
    public void A_question_fits_a_request_line_whatever_the_names()
    {
        var names = Enumerable.Range(0, 60).Select(i => new string('ж', 200) + i + "@R").ToArray();

        var queries = DirectoryClient.Queries(names).ToArray();

        Assert.All(queries, query => Assert.InRange(query.Length, 1, 8_000));
        Assert.Equal(names, queries.SelectMany(query => query.Split('&')).Select(pair => Uri.UnescapeDataString(pair["dname=".Length..])));
    }

    [Fact]
    public void Nobody_is_no_question() => Assert.Empty(DirectoryClient.Queries([]));
}
