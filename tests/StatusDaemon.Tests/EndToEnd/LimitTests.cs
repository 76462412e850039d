using System.Text;
using System.Text.Json;
using StatusDaemon.Names;
using StatusDaemon.Tests.Protocol;

namespace StatusDaemon.EndToEnd;

/// <summary>Clients that ask for too much: each limit has its answer, memory stays bounded, and nobody else notices.</summary>
public sealed class LimitTests(LimitTests.LimitedServer shared) : IClassFixture<LimitTests.LimitedServer>
{
    private const string RateLimited = """{"error":"rate-limited","detail":"too many messages a second"}""";

    private StatusdProcess Server => shared.Server;

    [Fact]
    public async Task Hostile_json_gets_one_error_each_and_changes_nothing()
    {
        var who = shared.Take(1)[0];
        (string Message, string Code)[] cases =
        [
            (new string('[', 100_000), "bad-json"),
            ("""{"x":""" + new string('[', 100_000) + new string(']', 100_000) + "}", "bad-json"),
            ("""{"events":""" + string.Concat(Enumerable.Repeat("""{"a":""", 5_000)), "bad-json"),
            ($$"""{"status":1,"\u0073tatus":2}""", "bad-message"),
            ($$"""{"events":{"{{who}}":9,"{{who}}":10},"status":1}""", "bad-message"),
            ("""{"x":1,"x":1,"status":1}""", "bad-message"),
            ("""{"status":1e400}""", "bad-message"),
            ("""{"status":99999999999999999999999999999999999999}""", "unknown-status"),
            ("""{"status":-1}""", "unknown-status"),
            ("""{"status":""" + new string('9', 100_000) + "}", "unknown-status"),
            ("""{"status":1,"timestamp":""" + new string('9', 33) + "}", "bad-message"),
            ("""{"status":1,"timestamp":"1e"}""", "bad-message"),
            ($$"""{"events":{"{{new string('u', 129)}}":9},"status":1}""", "bad-message"),
            ($$"""{"events":{"{{who}}":9,"":9},"status":1}""", "bad-message"),
            ("""{"events":{"a\u0000b":9},"status":1}""", "bad-message"),
            ("""{"events":[],"status":1}""", "bad-message"),
            ("null", "bad-json"),
            ("", "bad-json"),
            ("""{} {}""", "bad-json"),
            ("\uFEFF{}", "bad-json"),
        ];
        await using var client = await TestSocket.ConnectAsync(Server, who);
        foreach (var (message, code) in cases)
        {
            await client.SendAsync(message);

            Assert.StartsWith($$"""{"error":"{{code}}",""", await client.ReceiveAsync(), StringComparison.Ordinal);
        }

        Assert.Equal($$"""{"status":8,"publisher":"{{who}}"}""", await client.WatchAsync(who));
    }

    [Fact]
    public async Task Ten_thousand_events_in_one_message_are_all_answered_and_one_more_is_refused_whole()
    {
        const int Limit = 10_000;
        await using var client = await TestSocket.ConnectAsync(Server, shared.Take(1)[0]);
        await client.SendAsync(Events("x", 0, Limit + 1, 9));
        Assert.StartsWith("""{"error":"too-many-subscriptions",""", await client.ReceiveAsync(), StringComparison.Ordinal);

        await client.SendAsync(Events("x", 0, Limit, 9));
        var answered = new HashSet<string>();
        while (answered.Count < Limit)
        {
            using var answer = JsonDocument.Parse((await client.ReceiveAsync())!);
            Assert.Equal(8, answer.RootElement.GetProperty("status").GetInt32());
            Assert.True(answered.Add(answer.RootElement.GetProperty("publisher").GetString()!));
        }

        await client.SendAsync("""{"events":{"y":9}}""");
        Assert.StartsWith("""{"error":"too-many-subscriptions",""", await client.ReceiveAsync(), StringComparison.Ordinal);
        await client.SendAsync("""{"events":{"x0":10,"y":9}}""");
        Assert.Equal("""{"status":8,"publisher":"y"}""", await client.ReceiveAsync());
    }

    [Fact]
    public async Task A_hundred_of_the_longest_names_are_one_question_to_the_directory()
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Add("X-Status-Uid", shared.Take(1)[0]);
        var names = Enumerable.Range(0, 100).Select(i => "dname=" + Uri.EscapeDataString(new string('ж', DName.MaxLength - 10) + i + "@R"));

        var answer = await http.GetStringAsync(new Uri($"http://127.0.0.1:{Server.Port}/directory?{string.Join('&', names)}"), TestContext.Current.CancellationToken);

        Assert.Equal("""{"subscribers":[]}""", answer);
    }

    [Fact]
    public async Task Messages_that_come_too_fast_are_refused_until_they_come_slower()
    {
        var names = shared.Take(2);
        await using var client = await RawSocket.ConnectAsync(Server, names[0]);
        await using var other = await TestSocket.ConnectAsync(Server, names[1]);
        await client.SendAsync((byte[])[.. Enumerable.Range(0, 3_500).SelectMany(_ => ClientFrames.Frame(ClientFrames.Text, "{}"))]);

        Assert.Equal(RateLimited, await client.ReadTextAsync());
        Assert.Equal($$"""{"status":8,"publisher":"{{names[0]}}"}""", await other.WatchAsync(names[0]));

        // Each refusal that is still under way is followed by one more try.
        var subscribe = $$$"""{"events":{"{{{names[1]}}}":9}}""";
        await client.SendAsync(subscribe);
        var answer = await client.ReadTextAsync();
        while (answer == RateLimited)
        {
            await client.SendAsync(subscribe);
            answer = await client.ReadTextAsync();
        }

        Assert.Equal($$"""{"status":8,"publisher":"{{names[1]}}"}""", answer);
    }

    [Fact]
    public async Task A_seventeenth_connection_is_answered_429_and_a_place_is_free_again_after_each_way_to_leave()
    {
        var who = shared.Take(1)[0];
        List<RawSocket> open = [];
        for (var i = 0; i < 16; i++)
        {
            open.Add(await RawSocket.ConnectAsync(Server, who));
        }

        Assert.Contains("429", await TryAsync(who), StringComparison.Ordinal);

        await open[0].SendAsync(ClientFrames.CloseWith(1000));
        await open[0].ReadToEndAsync();
        open[0] = await ConnectSoonAsync(who);
        open[1].Reset();
        open[1] = await ConnectSoonAsync(who);
        open[2].Socket.Close();
        open[2] = await ConnectSoonAsync(who);
        await open[3].SendAsync(ClientFrames.Frame(ClientFrames.Binary, "{}"));
        Assert.Equal(1003, await open[3].ReadCloseAsync());
        await open[3].DisposeAsync();
        open[3] = await ConnectSoonAsync(who);

        Assert.Contains("429", await TryAsync(who), StringComparison.Ordinal);
        foreach (var client in open)
        {
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task Invented_uids_by_the_hundred_thousand_leave_no_memory_behind()
    {
        const int Uids = 2_000;
        await using var server = await StatusdProcess.StartAsync(StatusdProcess.TrustedHeader + "\nSERVICE: { limits: { messages: 1000000 } }");
        await using var client = await TestSocket.ConnectAsync(server, "uid-a");
        await ComeAndGoAsync("warm", rounds: 25);
        var before = server.ResidentBytes();
        await ComeAndGoAsync("more", rounds: 75);

        // 150,000 UIDs that stayed would take over 500 bytes each, with their topics and registers.
        Assert.InRange(server.ResidentBytes() - before, long.MinValue, 48 << 20);

        async Task ComeAndGoAsync(string prefix, int rounds)
        {
            for (var round = 0; round < rounds; round++)
            {
                await client.SendAsync(Events(prefix, round * Uids, Uids, 9));
                for (var i = 0; i < Uids; i++)
                {
                    await client.ReceiveAsync();
                }

                await client.SendAsync(Events(prefix, round * Uids, Uids, 10));
            }
        }
    }

    [Fact]
    public async Task Subscribing_and_unsubscribing_without_a_pause_is_slowed_down_and_others_work_on()
    {
        const int Messages = 100;
        const int Watched = 8_000;
        var names = shared.Take(3);
        await using var client = await RawSocket.ConnectAsync(Server, names[0]);
        await using var watcher = await TestSocket.ConnectAsync(Server, names[1]);
        await using var publisher = await TestSocket.ConnectAsync(Server, names[2]);
        await watcher.WatchAsync(names[2]);
        var on = ClientFrames.Frame(ClientFrames.Text, Events("z", 0, Watched, 9));
        var off = ClientFrames.Frame(ClientFrames.Text, Events("z", 0, Watched, 10));
        var before = Server.ResidentBytes();
        var refusals = 0;
        var reading = CountRefusalsAsync();
        for (var i = 0; i < Messages; i++)
        {
            await client.SendAsync(i % 2 == 0 ? on : off);
        }

        await publisher.SendAsync("""{"status":2}""");
        await watcher.SeesAsync(names[2], 2);
        await client.SendAsync(ClientFrames.CloseWith(1000));
        Assert.Equal(1000, await reading);

        // A burst holds 400, a message of 8,000 events costs 81, and little is refilled meanwhile.
        Assert.InRange(refusals, Messages / 2, Messages);
        Assert.InRange(Server.ResidentBytes() - before, long.MinValue, 200 << 20);

        async Task<int?> CountRefusalsAsync()
        {
            while (await client.ReadTextAsync() is { } text)
            {
                refusals += text == RateLimited ? 1 : 0;
            }

            return client.CloseCode;
        }
    }

    [Fact]
    public async Task A_hidden_subscriber_looks_like_one_that_nobody_knows()
    {
        var names = shared.Take(2);
        await using var hidden = await TestSocket.ConnectAsync(Server, names[0]);
        await using var watcher = await TestSocket.ConnectAsync(Server, names[1]);
        await watcher.WatchAsync(names[0]);
        await hidden.SendAsync($$$"""{"status":2,"timestamp":5,"events":{"{{{names[0]}}}":9}}""");
        await hidden.SeesAsync(names[0], 2);
        await watcher.SeesAsync(names[0], 2);
        await Server.WriteDirectoryAsync(SharedServer.Directory((names[0], $"black: [{names[1]}]")));
        var seen = await watcher.ReceiveAsync();

        Assert.Equal((await watcher.WatchAsync("nobody"))!.Replace("nobody", names[0], StringComparison.Ordinal), seen);
        Assert.Equal(seen, await watcher.WatchAsync(names[0]));
        await hidden.SendAsync("""{"status":1}""");
        await hidden.SeesAsync(names[0], 1);
        Assert.Equal(seen, await watcher.WatchAsync(names[0])); // and nothing in between
    }

    private static string Events(string prefix, int from, int count, int operation) =>
        new StringBuilder("{\"events\":{").AppendJoin(',', Enumerable.Range(from, count).Select(i => $"\"{prefix}{i}\":{operation}")).Append("}}").ToString();

    private async Task<string> TryAsync(string who)
    {
        await using var client = await RawSocket.ConnectTcpAsync(Server);
        await client.SendAsync(RawSocket.Upgrade(who));
        return await client.ReadHeadersAsync();
    }

    /// <summary>The server frees the place when it has seen the end of the connection; that it does is the event, and asking the only way to hear it.</summary>
    private async Task<RawSocket> ConnectSoonAsync(string who)
    {
        while (true)
        {
            var client = await RawSocket.ConnectTcpAsync(Server);
            await client.SendAsync(RawSocket.Upgrade(who));
            if ((await client.ReadHeadersAsync()).Contains(" 101 ", StringComparison.Ordinal))
            {
                return client;
            }

            await client.DisposeAsync();
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>A server with a low rate of messages, and else the limits that it comes with.</summary>
    public sealed class LimitedServer() : SharedServer("SERVICE: { limits: { messages: 200 } }");
}
