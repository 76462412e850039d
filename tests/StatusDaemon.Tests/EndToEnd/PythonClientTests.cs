using System.Text.Json;

namespace StatusDaemon.EndToEnd;

/// <summary>A client that was written from docs/protocol.md alone, with Debian's aiohttp and Kerberos, against the tests' own KDC.</summary>
public sealed class PythonClientTests(KerberosServer kerberos) : IClassFixture<KerberosServer>
{
    [Theory, InlineData(false), InlineData(true)]
    public async Task Two_clients_log_in_check_the_server_and_see_each_other(bool spnego)
    {
        string[] options = spnego ? ["--spnego"] : [];
        await using var alice = Client("alice", options);
        await using var bob = Client("bob", options);
        Assert.Equal("101 proved", await alice.AskAsync("connect"));
        Assert.Equal("101 proved", await bob.AskAsync("connect"));

        Assert.Contains("uid-bob", await alice.AskAsync("""send {"events":{"uid-bob":9}}"""), StringComparison.Ordinal);
        Assert.Contains("uid-alice", await bob.AskAsync("""send {"events":{"uid-alice":9}}"""), StringComparison.Ordinal);
        await alice.SayAsync("""send {"status":2,"timestamp":"1627128694.693686"}""");
        await bob.SayAsync("""send {"status":7}""");

        Assert.Equal("""{"status":2,"publisher":"uid-alice","timestamp":"1627128694.693686"}""", await bob.ReadAsync());
        Assert.Equal("""{"status":7,"publisher":"uid-bob"}""", await alice.ReadAsync());
        Assert.Equal("closed 1000", await alice.AskAsync("close"));
    }

    [Fact]
    public async Task What_the_document_calls_an_error_is_answered_and_the_connection_goes_on()
    {
        await using var alice = Client("alice");
        Assert.Equal("101 proved", await alice.AskAsync("connect"));

        Assert.StartsWith("""{"error":"not-your-publisher",""", await alice.AskAsync("""send {"status":1,"publisher":"uid-bob"}"""), StringComparison.Ordinal);
        Assert.Equal("""{"status":8,"publisher":"nobody-knows"}""", await alice.AskAsync("""send {"events":{"nobody-knows":9}}"""));
    }

    [Fact]
    public async Task Somebody_whom_no_directory_knows_is_refused_in_words()
    {
        await using var stranger = Client("stranger");

        Assert.Equal("403 stranger@ALPHA.TEST is not a subscriber here.", await stranger.AskAsync("connect"));
        Assert.Equal("403 unproved stranger@ALPHA.TEST is not a subscriber here.", await stranger.AskAsync("get /directory"));
    }

    [Fact]
    public async Task The_directory_finds_dnames_and_numbers_each_once_in_order()
    {
        await using var alice = Client("alice");

        Assert.Equal(
            """200 proved {"subscribers":[{"uid":"uid-alice","dname":"alice@ALPHA.TEST","numbers":["2001","2901"],"domain":"alpha.test","name":"Alice"},{"uid":"uid-bob","dname":"bob@ALPHA.TEST","numbers":["2002"]}]}""",
            await alice.AskAsync("get /directory?dname=bob%40ALPHA.TEST&number=2901&number=2002&number=2001"));
    }

    [Fact]
    public async Task Hidden_and_unknown_subscribers_are_equally_absent()
    {
        await using var alice = Client("alice");
        foreach (var query in new[] { "dname=carol%40ALPHA.TEST", "number=2003", "dname=nobody%40ALPHA.TEST", "number=9999", "dname=no%20name&number=&dname=" })
        {
            Assert.Equal("""200 proved {"subscribers":[]}""", await alice.AskAsync($"get /directory?{query}"));
        }
    }

    [Fact]
    public async Task The_directory_comes_in_pages_of_those_who_are_visible()
    {
        await using var alice = Client("alice");
        var found = new List<string>();
        var sizes = new List<int>();
        for (var after = ""; after is not null;)
        {
            var answer = await alice.AskAsync($"get /directory?limit=2{(after.Length > 0 ? $"&after={after}" : "")}");
            using var page = JsonDocument.Parse(answer["200 proved ".Length..]);
            var uids = page.RootElement.GetProperty("subscribers").EnumerateArray().Select(one => one.GetProperty("uid").GetString()!).ToArray();
            found.AddRange(uids);
            sizes.Add(uids.Length);
            after = page.RootElement.TryGetProperty("next", out var next) ? next.GetString() : null;
        }

        Assert.Equal(["uid-alice", "uid-bob", "uid-dave", "uid-erin"], found);
        Assert.Equal([2, 2], sizes);
    }

    [Fact]
    public async Task A_query_that_the_document_does_not_have_is_answered_400()
    {
        await using var bob = Client("bob");
        var names = string.Join('&', Enumerable.Range(0, 101).Select(number => $"number={number}"));
        foreach (var query in new[] { "uid=uid-bob", "limit=0", "limit=1001", "limit=x", "limit=1&limit=2", "after=a&after=b", "dname=a%40B&limit=1", names })
        {
            Assert.StartsWith("400 ", await bob.AskAsync($"get /directory?{query}"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Who_asks_the_directory_too_fast_gets_429_and_nobody_else_does()
    {
        await using var dave = Client("dave");
        await using var erin = Client("erin");

        Assert.Matches("^200=[0-9]+ 429=[0-9]+$", await dave.AskAsync("storm 200 /directory?number=2004"));
        Assert.StartsWith("200 ", await erin.AskAsync("get /directory?number=2004"), StringComparison.Ordinal);
    }

    private ClientProcess Client(string user, params string[] options) => ClientProcess.Python(kerberos.Realm, user, kerberos.Server, options);
}
