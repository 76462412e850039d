using System.Globalization;
using System.Text;
using System.Text.Json;
using StatusDaemon.Tests.Protocol;

namespace StatusDaemon.EndToEnd;

/// <summary>Clients that break the rules below the messages: the server says what was wrong, ends the connection, and serves the others. Over both ways to a socket.</summary>
public abstract class FrameAbuseTests(SharedServer shared)
{
    private StatusdProcess Server => shared.Server;

    public static readonly TheoryData<string, int, byte[]> BrokenFrames = new()
    {
        { "binary", 1003, ClientFrames.Frame(ClientFrames.Binary, "{}") },
        { "text that is not UTF-8", 1007, ClientFrames.Frame(ClientFrames.Text, [0x22, 0xC3, 0x28, 0x22]) },
        { "text cut off in a character", 1007, ClientFrames.Frame(ClientFrames.Text, [0x22, 0xE2, 0x82]) },
        { "a surrogate in UTF-8", 1007, ClientFrames.Frame(ClientFrames.Text, [0xED, 0xA0, 0x80]) },
        { "not masked", 1002, ClientFrames.Frame(ClientFrames.Text, "{}"u8, masked: false) },
        { "reserved bit", 1002, ClientFrames.Frame(ClientFrames.Text, "{}", reserved: 4) },
        { "reserved opcode", 1002, ClientFrames.Frame(3, "{}") },
        { "fragmented ping", 1002, ClientFrames.Frame(ClientFrames.Ping, "a", final: false) },
        { "ping of 126 bytes", 1002, ClientFrames.Frame(ClientFrames.Ping, new byte[126]) },
        { "continuation of nothing", 1002, ClientFrames.Frame(ClientFrames.Continuation, "{}") },
        { "message inside a message", 1002, [.. ClientFrames.Frame(ClientFrames.Text, "{", final: false), .. ClientFrames.Frame(ClientFrames.Text, "}")] },
        { "length not in its shortest form", 1002, ClientFrames.Frame(ClientFrames.Text, "{}"u8, lengthForm: 127) },
        { "close with half a code", 1002, ClientFrames.Frame(ClientFrames.Close, [3]) },
        { "close with a code that never travels", 1002, ClientFrames.CloseWith(1005) },
        { "close with a reason that is not UTF-8", 1007, ClientFrames.CloseWith(1000, [0xFF]) },
        { "one megabyte, announced", 1009, ClientFrames.Frame(ClientFrames.Text, new byte[1 << 20])[..14] },
        { "one megabyte, sent", 1009, ClientFrames.Frame(ClientFrames.Text, new byte[1 << 20]) },
        { "one megabyte in pieces", 1009, ClientFrames.InFragments(Encoding.ASCII.GetBytes(new string(' ', 1 << 20)), 1000) },
    };

    [Theory, MemberData(nameof(BrokenFrames))]
    public async Task A_broken_frame_is_closed_with_its_code(string what, int code, byte[] bytes)
    {
        var who = shared.Take(1)[0];
        await using var client = await RawSocket.ConnectAsync(Server, who);

        var sending = client.SendAsync(bytes);

        Assert.True(code == await client.ReadCloseAsync(), $"{what}: {client.CloseCode}");
        await sending;
        await client.EndSendingAsync();
        await client.ReadToEndAsync();
    }

    [Theory, InlineData(1000), InlineData(1001), InlineData(3000), InlineData(4999)]
    public async Task A_client_that_closes_gets_its_code_back_and_the_connection_ends(int code)
    {
        await using var client = await RawSocket.ConnectAsync(Server, shared.Take(1)[0]);

        await client.SendAsync(ClientFrames.CloseWith(code, "bye"u8));

        Assert.Equal(code, await client.ReadCloseAsync());
        await client.ReadToEndAsync();
    }

    [Fact]
    public async Task A_close_without_a_code_is_answered_1000()
    {
        await using var client = await RawSocket.ConnectAsync(Server, shared.Take(1)[0]);

        await client.SendAsync(ClientFrames.Frame(ClientFrames.Close, ""));

        Assert.Equal(1000, await client.ReadCloseAsync());
    }

    [Fact]
    public async Task Frames_in_the_same_segment_as_the_upgrade_request_are_taken()
    {
        var who = shared.Take(1)[0];
        byte[] behind = [.. ClientFrames.Frame(ClientFrames.Text, $$$"""{"events":{"{{{who}}}":9}}"""), .. ClientFrames.Frame(ClientFrames.Text, """{"status":4}""")];

        await using var client = await RawSocket.ConnectAsync(Server, who, behind);

        Assert.Equal($$"""{"status":8,"publisher":"{{who}}"}""", await client.ReadTextAsync());
        Assert.Equal($$"""{"status":4,"publisher":"{{who}}"}""", await client.ReadTextAsync());
    }

    [Fact]
    public async Task A_stream_that_ends_in_the_middle_of_a_frame_is_closed_and_costs_nothing()
    {
        var names = shared.Take(20);
        foreach (var who in names)
        {
            await using var client = await RawSocket.ConnectAsync(Server, who, behind: [0x81]);
            await client.EndSendingAsync();

            await client.ReadToEndAsync();
        }

        // Whoever goes round in a circle does so for ever; a compiler in the background, or a neighbour, is through some time.
        var isQuiet = false;
        for (var second = 0; second < 20 && !isQuiet; second++)
        {
            Server.Process.Refresh();
            var before = Server.Process.TotalProcessorTime;
            await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
            Server.Process.Refresh();
            isQuiet = Server.Process.TotalProcessorTime - before < TimeSpan.FromMilliseconds(400);
        }

        Assert.True(isQuiet);
    }

    [Fact]
    public async Task Resets_in_the_middle_of_deliveries_disturb_nobody()
    {
        const int Statuses = 1500;
        var names = shared.Take(22);
        var publisher = names[0];
        await using var p = await RawSocket.ConnectAsync(Server, publisher);
        await using var bystander = await TestSocket.ConnectAsync(Server, names[1]);
        await bystander.WatchAsync(publisher);
        List<RawSocket> victims = [];
        foreach (var who in names[2..])
        {
            var victim = await RawSocket.ConnectAsync(Server, who, ClientFrames.Frame(ClientFrames.Text, $$$"""{"events":{"{{{publisher}}}":9}}"""));
            await victim.ReadTextAsync();
            victims.Add(victim);
        }

        for (var i = 1; i <= Statuses; i++)
        {
            await p.SendAsync($$$"""{"status":{{{(i % 8) + 1}}},"timestamp":{{{i}}}}""");
            if (i % 50 == 0 && i / 50 <= victims.Count)
            {
                victims[(i / 50) - 1].Reset();
            }
        }

        var last = 0;
        while (last < Statuses)
        {
            using var seen = JsonDocument.Parse((await bystander.ReceiveAsync())!);
            var number = seen.RootElement.GetProperty("timestamp").GetInt32();
            Assert.True(number > last, $"{number} came after {last}");
            last = number;
        }
    }

    [Fact]
    public async Task Every_ping_of_thousands_is_answered_with_what_it_carried()
    {
        const int Pings = 1900;
        await using var client = await RawSocket.ConnectAsync(Server, shared.Take(1)[0]);
        var sending = client.SendAsync(
            Enumerable.Range(0, Pings).SelectMany(i => ClientFrames.Frame(ClientFrames.Ping, i.ToString(CultureInfo.InvariantCulture))).ToArray());

        for (var i = 0; i < Pings; i++)
        {
            var pong = await client.ReadFrameAsync();
            Assert.Equal(ClientFrames.Pong, pong?.Opcode);
            Assert.Equal(i.ToString(CultureInfo.InvariantCulture), Encoding.ASCII.GetString(pong!.Value.Payload));
        }

        await sending;
    }

    [Fact]
    public async Task Pings_beyond_the_rate_are_passed_over_and_the_connection_lives()
    {
        await using var client = await RawSocket.ConnectAsync(Server, shared.Take(1)[0]);
        await client.SendAsync((byte[])[.. Enumerable.Range(0, 20_000).SelectMany(_ => ClientFrames.Frame(ClientFrames.Ping, "x"))]);
        await client.SendAsync("{");

        var pongs = 0;
        while (await client.ReadFrameAsync() is { Opcode: ClientFrames.Pong })
        {
            pongs++;
        }

        Assert.InRange(pongs, 2000, 20_000);
        Assert.Null(client.CloseCode);
    }

    [Fact]
    public async Task Slow_and_silent_handshakes_are_closed_while_others_work()
    {
        var names = shared.Take(2);
        List<RawSocket> silent = [];
        for (var i = 0; i < 500; i++)
        {
            var client = await RawSocket.ConnectTcpAsync(Server);
            silent.Add(client);
            if (i % 2 == 0)
            {
                await client.SendAsync(RawSocket.Upgrade(names[0]).AsMemory(0, 20 + (i / 5)));
            }
        }

        await using var a = await TestSocket.ConnectAsync(Server, names[0]);
        await using var b = await TestSocket.ConnectAsync(Server, names[1]);
        await a.WatchAsync(names[1]);
        await b.SendAsync("""{"status":2}""");
        await a.SeesAsync(names[1], 2);

        foreach (var client in silent)
        {
            await client.ReadToEndAsync();
            await client.DisposeAsync();
        }

        await b.SendAsync("""{"status":1}""");
        await a.SeesAsync(names[1], 1);
    }

    [Fact]
    public async Task A_handshake_that_trickles_in_is_closed_in_time()
    {
        await using var client = await RawSocket.ConnectTcpAsync(Server);
        var ended = client.ReadToEndAsync();
        var request = RawSocket.Upgrade(shared.Take(1)[0]);

        // Its pace is the attack: a byte each tenth of a second would take half a minute.
        for (var at = 0; at < request.Length - 1 && !ended.IsCompleted; at++)
        {
            await client.SendAsync(request.AsMemory(at, 1));
            await Task.WhenAny(ended, Task.Delay(TimeSpan.FromMilliseconds(100), TestContext.Current.CancellationToken));
        }

        Assert.True(ended.IsCompletedSuccessfully);
    }
}

/// <summary>Over sockets that have left Kestrel.</summary>
public sealed class PlainFrameAbuseTests(PlainFrameAbuseTests.AbusedServer shared) : FrameAbuseTests(shared), IClassFixture<PlainFrameAbuseTests.AbusedServer>
{
    /// <summary>A server that gives a handshake one second.</summary>
    public sealed class AbusedServer() : SharedServer("SERVICE: { limits: { handshake: 1s } }");
}

/// <summary>Over TLS.</summary>
public sealed class SecureFrameAbuseTests(SecureFrameAbuseTests.AbusedServer shared) : FrameAbuseTests(shared), IClassFixture<SecureFrameAbuseTests.AbusedServer>
{
    /// <summary>A server that gives a handshake three seconds, since that of TLS is in them.</summary>
    public sealed class AbusedServer() : SharedServer("SERVICE: { limits: { handshake: 3s } }", tls: true);
}
