namespace StatusDaemon.EndToEnd;

/// <summary>What SUBSCRIBE and UNSUBSCRIBE mean, and what a change of the directory does to watches that are open.</summary>
public sealed class SubscribeTests(SubscribeTests.OpenServer shared) : IClassFixture<SubscribeTests.OpenServer>
{
    private StatusdProcess Server => shared.Server;

    [Fact]
    public async Task A_repeated_subscribe_is_answered_again_and_counts_once()
    {
        var names = shared.Take(2);
        await using var watcher = await TestSocket.ConnectAsync(Server, names[0]);
        await using var publisher = await TestSocket.ConnectAsync(Server, names[1]);
        await publisher.SendAsync($$$"""{"status":2,"events":{"{{{names[1]}}}":9}}""");
        await publisher.SeesAsync(names[1], 2);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(Shown(names[1], 2), await watcher.WatchAsync(names[1]));
        }

        await publisher.SendAsync("""{"status":6}""");
        Assert.Equal(Shown(names[1], 6), await watcher.ReceiveAsync());
        await watcher.SendAsync($$$"""{"events":{"{{{names[1]}}}":10}}""");
        await publisher.SendAsync("""{"status":7}""");
        await publisher.SeesAsync(names[1], 7);

        Assert.Equal(Shown(names[0], 8), await watcher.WatchAsync(names[0])); // nothing more of the other
    }

    [Fact]
    public async Task Nothing_follows_an_unsubscribe_though_statuses_are_under_way()
    {
        var names = shared.Take(2);
        await using var watcher = await TestSocket.ConnectAsync(Server, names[0]);
        await using var publisher = await RawSocket.ConnectAsync(Server, names[1]);
        await watcher.WatchAsync(names[1]);
        for (var i = 1; i <= 1000; i++)
        {
            await publisher.SendAsync($$$"""{"status":1,"timestamp":{{{i}}}}""");
        }

        // An error is answered in order: what comes after it comes after the unsubscribe.
        await watcher.SendAsync($$$"""{"events":{"{{{names[1]}}}":10}}""");
        await watcher.SendAsync("{");
        while (!(await watcher.ReceiveAsync())!.Contains("bad-json", StringComparison.Ordinal))
        {
        }

        await publisher.SendAsync($$$"""{"status":5,"events":{"{{{names[1]}}}":9}}""");
        while (await publisher.ReadTextAsync() is { } text && !text.Contains("\"status\":5", StringComparison.Ordinal))
        {
        }

        Assert.Equal(Shown(names[0], 8), await watcher.WatchAsync(names[0]));
    }

    [Fact]
    public async Task Events_come_before_the_status_of_the_same_message()
    {
        var who = shared.Take(1)[0];
        await using var self = await TestSocket.ConnectAsync(Server, who);

        await self.SendAsync($$$"""{"status":2,"timestamp":"7","events":{"{{{who}}}":9}}""");
        Assert.Equal(Shown(who, 8), await self.ReceiveAsync());
        Assert.Equal($$"""{"status":2,"publisher":"{{who}}","timestamp":"7"}""", await self.ReceiveAsync());

        await self.SendAsync($$$"""{"status":3,"events":{"{{{who}}}":10}}""");
        await self.SendAsync($$$"""{"publisher":"{{{who}}}","status":3,"events":{"{{{who}}}":9}}""");
        Assert.Equal(Shown(who, 3), await self.ReceiveAsync());
        Assert.Equal(Shown(who, 3), await self.ReceiveAsync()); // an equal status is a change too
    }

    [Fact]
    public async Task Connections_of_one_subscriber_share_the_status_and_not_the_watches()
    {
        var names = shared.Take(2);
        await using var first = await TestSocket.ConnectAsync(Server, names[0]);
        await using var second = await TestSocket.ConnectAsync(Server, names[0]);
        await using var watcher = await TestSocket.ConnectAsync(Server, names[1]);
        await watcher.WatchAsync(names[0]);
        await first.WatchAsync(names[0]);

        await second.SendAsync("""{"status":1}""");
        Assert.Equal(Shown(names[0], 1), await watcher.ReceiveAsync());
        Assert.Equal(Shown(names[0], 1), await first.ReceiveAsync());
        await first.SendAsync("""{"status":2}""");
        Assert.Equal(Shown(names[0], 2), await watcher.ReceiveAsync());

        Assert.Equal(Shown(names[1], 8), await second.WatchAsync(names[1])); // it never asked for its own
    }

    [Fact]
    public async Task Selectors_of_every_kind_hide_and_show_at_once()
    {
        var names = shared.Take(2);
        var (w, p) = (names[0], names[1]);
        await using var watcher = await TestSocket.ConnectAsync(Server, w);
        await using var publisher = await TestSocket.ConnectAsync(Server, p);
        await publisher.SendAsync($$$"""{"status":2,"events":{"{{{p}}}":9}}""");
        await publisher.SeesAsync(p, 2);
        Assert.Equal(Shown(p, 2), await watcher.WatchAsync(p));
        string[] hiding =
        [
            "black: [\"*\"]", $"white: [{p}]", "black: [\"domain:alpha.test\"]", $"black: [\"number:{NumberOf(w)[..3]}*\"]", $"black: [\"dname:{w}@*\"]",
            $"white: [{w}], black: [{w}]",
        ];
        string[] showing = ["", $"white: [{w}]", "white: [\"domain:alpha.test\"]", $"white: [\"number:{NumberOf(w)}\"]", "black: [\"number:9*\"]", $"white: [\"*\"], black: [{p}]"];
        foreach (var (hide, show) in hiding.Zip(showing))
        {
            await Server.WriteDirectoryAsync(SharedServer.Directory((p, hide)));
            Assert.Equal(Shown(p, 8), await watcher.ReceiveAsync());
            await Server.WriteDirectoryAsync(show == "" ? SharedServer.Directory() : SharedServer.Directory((p, show)));
            Assert.Equal(Shown(p, 2), await watcher.ReceiveAsync());
        }

        await Server.WriteDirectoryAsync(SharedServer.Directory());
    }

    [Fact]
    public async Task A_watcher_who_gets_another_number_is_judged_anew()
    {
        var names = shared.Take(2);
        var (w, p) = (names[0], names[1]);
        await using var watcher = await TestSocket.ConnectAsync(Server, w);
        await using var publisher = await TestSocket.ConnectAsync(Server, p);
        await publisher.SendAsync($$$"""{"status":2,"events":{"{{{p}}}":9}}""");
        await publisher.SeesAsync(p, 2);
        Assert.Equal(Shown(p, 2), await watcher.WatchAsync(p));
        await Server.WriteDirectoryAsync(SharedServer.Directory((p, "white: [\"number:77*\"]")));
        Assert.Equal(Shown(p, 8), await watcher.ReceiveAsync());

        await Server.WriteDirectoryAsync(SharedServer.Directory((p, "white: [\"number:77*\"]"), (w, "numbers: [\"5\", \"7701\"]")));
        Assert.Equal(Shown(p, 2), await watcher.ReceiveAsync());
        await Server.WriteDirectoryAsync(SharedServer.Directory((p, "white: [\"number:77*\"]")));
        Assert.Equal(Shown(p, 8), await watcher.ReceiveAsync());
        await Server.WriteDirectoryAsync(SharedServer.Directory());
        Assert.Equal(Shown(p, 2), await watcher.ReceiveAsync());
    }

    [Fact]
    public async Task Who_was_removed_and_comes_back_logs_in_again_and_is_seen_as_he_was()
    {
        var names = shared.Take(2);
        var (w, p) = (names[0], names[1]);
        await using var watcher = await TestSocket.ConnectAsync(Server, w);
        await using (var publisher = await TestSocket.ConnectAsync(Server, p))
        {
            await watcher.WatchAsync(p);
            await publisher.SendAsync("""{"status":2,"timestamp":1}""");
            await watcher.SeesAsync(p, 2);

            await Server.WriteDirectoryAsync(string.Join('\n', SharedServer.Directory().Split('\n').Where(line => !line.Contains(p, StringComparison.Ordinal))));
            Assert.Null(await publisher.ReceiveAsync());
            Assert.Equal(1008, (int?)publisher.CloseStatus);
            Assert.Equal(Shown(p, 8), await watcher.ReceiveAsync());
        }

        await Server.WriteDirectoryAsync(SharedServer.Directory());
        Assert.Equal($$"""{"status":2,"publisher":"{{p}}","timestamp":1}""", await watcher.ReceiveAsync());
        await using var again = await TestSocket.ConnectAsync(Server, p);
        await again.SendAsync("""{"status":1}""");
        Assert.Equal(Shown(p, 1), await watcher.ReceiveAsync());
    }

    private static string Shown(string publisher, int status) => $$"""{"status":{{status}},"publisher":"{{publisher}}"}""";

    private static string NumberOf(string uid) => $"1{uid[2..]}";

    /// <summary>A server as it comes.</summary>
    public sealed class OpenServer() : SharedServer("");
}
