using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using StatusDaemon.Fuzzing;
using StatusDaemon.Tests.Protocol;

namespace StatusDaemon.EndToEnd;

/// <summary>Beginnings, ends and stops of connections, over both ways to a socket.</summary>
public abstract class ConnectionTests(SocketServer shared)
{
    private StatusdProcess Server => shared.Server;

    [Theory, InlineData(3, int.MaxValue), InlineData(6_000, int.MaxValue), InlineData(6_000, 1_000), InlineData(300, 7)]
    public async Task What_follows_the_handshake_at_once_is_taken_whole_and_in_order(int pings, int pieceBytes)
    {
        byte[] stream = [.. RawSocket.Upgrade(shared.Take(1)[0]), .. Enumerable.Range(0, pings).SelectMany(i => ClientFrames.Frame(ClientFrames.Ping, $"a ping with a number at its end: {i}"))];
        await using var client = await RawSocket.ConnectTcpAsync(Server);
        var sending = SendAsync();

        await client.ReadUpgradeAsync();
        for (var i = 0; i < pings; i++)
        {
            var pong = await client.ReadFrameAsync();
            Assert.Equal(ClientFrames.Pong, pong?.Opcode);
            Assert.Equal($"a ping with a number at its end: {i}", Encoding.ASCII.GetString(pong!.Value.Payload));
        }

        await sending;

        async Task SendAsync()
        {
            foreach (var piece in stream.Chunk(Math.Min(pieceBytes, stream.Length)))
            {
                await client.SendAsync(piece);
            }
        }
    }

    [Fact]
    public async Task Who_asks_much_before_reading_is_held_up_and_gets_all_answers_in_order()
    {
        const int Pings = 60_000;
        var stream = Enumerable.Range(0, Pings).SelectMany(i => ClientFrames.Frame(ClientFrames.Ping, $"one of many, the number is {i}")).ToArray();
        await using var client = await RawSocket.ConnectAsync(Server, shared.Take(1)[0], receiveBuffer: 4096);
        client.Socket.SendBufferSize = 4096;
        var sending = client.SendAsync(stream);
        while (client.Socket.Poll(TimeSpan.FromSeconds(1), SelectMode.SelectWrite))
        {
            Assert.False(sending.IsCompleted, "the server took more than it could answer");
            await Task.Yield();
        }

        for (var i = 0; i < Pings; i++)
        {
            var pong = await client.ReadFrameAsync();
            Assert.Equal($"{ClientFrames.Pong}: one of many, the number is {i}", $"{pong?.Opcode}: {Encoding.ASCII.GetString(pong?.Payload ?? [])}");
        }

        await sending;
    }

    [Fact]
    public async Task A_client_that_sends_no_more_gets_what_it_has_asked_for()
    {
        for (var i = 0; i < 100; i++)
        {
            await using var client = await RawSocket.ConnectAsync(Server, "asks-and-ends");
            await client.SendAsync((byte[])[.. ClientFrames.Frame(ClientFrames.Ping, "x"), .. ClientFrames.Frame(ClientFrames.Text, "{"), .. ClientFrames.CloseWith(3000)]);
            await client.EndSendingAsync();

            Assert.Equal(["pong:78", "error:bad-json", "close:3000"], await AnswersAsync(client));
        }
    }

    [Fact]
    public async Task A_probe_whose_end_comes_with_its_only_byte_is_seen_to_have_ended()
    {
        List<RawSocket> probes = [];
        for (var i = 0; i < 10; i++)
        {
            probes.Add(await RawSocket.ConnectAsync(Server, "probe"));
        }

        Server.Suspend(); // so that both are there when it looks
        foreach (var probe in probes)
        {
            await probe.SendAsync((byte[])[0x81]);
            await probe.EndSendingAsync();
        }

        Server.Resume();
        foreach (var probe in probes)
        {
            Assert.Equal(["close:1002"], await AnswersAsync(probe));
            await probe.DisposeAsync();
        }
    }

    [Theory, InlineData("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 200 "), InlineData("GET /heal", "")]
    public async Task A_request_that_comes_with_the_end_of_the_stream_holds_nothing_open(string request, string answer)
    {
        await using var client = await RawSocket.ConnectTcpAsync(Server);
        Server.Suspend();
        await client.SendAsync(Encoding.ASCII.GetBytes(request));
        await client.EndSendingAsync();
        var clock = Stopwatch.StartNew();
        Server.Resume();

        Assert.StartsWith(answer, await client.ReadAllAsync(), StringComparison.Ordinal);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5)); // SERVICE.limits.handshake is twice that
    }

    [Theory]
    [InlineData(160 * 1024, 0, " 404 "), InlineData((160 * 1024) + 1, 0, " 414 ")]
    [InlineData(100, 128 * 1024, " 404 "), InlineData(100, (128 * 1024) + 1, " 431 ")]
    public async Task Long_requests_pass_up_to_their_limits(int lineBytes, int headerBytes, string answer)
    {
        const string Start = "GET /none?";
        const string End = " HTTP/1.1\r\n";
        const string Host = "Host: localhost\r\n";
        var headers = headerBytes == 0 ? Host : Host + Header(headerBytes - Host.Length);
        await using var client = await RawSocket.ConnectTcpAsync(Server);
        var sending = client.SendAsync(Encoding.ASCII.GetBytes($"{Start}{new string('x', lineBytes - Start.Length - End.Length)}{End}{headers}\r\n"));

        Assert.Contains(answer, await client.ReadHeadersAsync(), StringComparison.Ordinal);
        await sending;

        static string Header(int bytes) => $"X-Long: {new string('x', bytes - "X-Long: \r\n".Length)}\r\n";
    }

    [Fact]
    public async Task Sockets_that_come_and_go_see_nothing_of_those_that_had_their_numbers()
    {
        const int Rounds = 15;
        const int Each = 20;
        var all = Enumerable.Range(0, Each).Select(i => $"comes-{i}").ToArray();
        await using var publisher = await RawSocket.ConnectAsync(Server, "talks");
        for (var round = 0; round < Rounds; round++)
        {
            List<RawSocket> clients = [];
            foreach (var who in all)
            {
                clients.Add(await RawSocket.ConnectAsync(Server, who, ClientFrames.Frame(ClientFrames.Text, $$$"""{"events":{"{{{who}}}-{{{round}}}":9{{{(clients.Count % 2 == 0 ? ",\"talks\":9" : "")}}}}}""")));
            }

            // Those who watch it are reset while it speaks to them, and their numbers are those of the next round.
            for (var i = 0; i < Each; i++)
            {
                await publisher.SendAsync("""{"status":2}""");
            }

            for (var i = 0; i < Each; i++)
            {
                if (i % 2 == 0)
                {
                    clients[i].Reset();
                    continue;
                }

                Assert.Equal($$"""{"status":8,"publisher":"{{all[i]}}-{{round}}"}""", await clients[i].ReadTextAsync());
                await clients[i].SendAsync(ClientFrames.CloseWith(1000));
                Assert.Equal(["close:1000"], await AnswersAsync(clients[i]));
                await clients[i].DisposeAsync();
            }
        }
    }

    [Fact]
    public async Task A_close_goes_out_behind_what_the_client_has_not_taken_yet()
    {
        const int Texts = 3_000; // 200 KB of answers: more than waits in the kernel on the way to a client that does not read
        await using var client = await RawSocket.ConnectAsync(Server, "closes-late", receiveBuffer: 4096);
        var refused = ClientFrames.Frame(ClientFrames.Text, "{");
        await client.SendAsync((byte[])[.. Enumerable.Range(0, Texts).SelectMany(_ => refused), .. ClientFrames.CloseWith(4000)]);

        var answers = await AnswersAsync(client);

        Assert.Equal("close:4000", answers[^1]);
        Assert.All(answers[..^1], answer => Assert.Equal("error:bad-json", answer));
    }

    [Fact]
    public async Task A_reader_that_stops_costs_nothing_and_gets_the_latest_of_all_when_it_reads_again()
    {
        const int Publishers = 100;
        const int Statuses = 10_000; // of each
        var names = Enumerable.Range(0, Publishers).Select(i => $"much-{i}").ToArray();
        var events = "{\"events\":{" + string.Join(',', names.Select(name => $"\"{name}\":9")) + "}}";
        await using var stopped = await RawSocket.ConnectAsync(Server, "stops", receiveBuffer: 4096);
        await stopped.SendAsync(events);
        for (var i = 0; i < Publishers; i++)
        {
            Assert.Contains("\"status\":8", await stopped.ReadTextAsync(), StringComparison.Ordinal);
        }

        var publishers = await Task.WhenAll(names.Select(name => RawSocket.ConnectAsync(Server, name)));
        await PublishAsync(1, Statuses / 2);
        var half = Server.ResidentBytes();
        await PublishAsync((Statuses / 2) + 1, Statuses / 2);

        // Half a million statuses that stayed would be a hundred bytes each at least.
        Assert.InRange(Server.ResidentBytes() - half, long.MinValue, 32 << 20);
        var seen = await ReadUntilAsync(stopped, Statuses);
        Assert.InRange(seen, Publishers, Publishers * Statuses / 10);
        foreach (var publisher in publishers)
        {
            await publisher.DisposeAsync();
        }

        // Returns when the shards have taken all of it, and a reader that came later has seen so.
        async Task PublishAsync(int first, int count)
        {
            byte[] stream =
            [
                .. Enumerable.Range(first, count).SelectMany(i => ClientFrames.Frame(ClientFrames.Text, string.Create(CultureInfo.InvariantCulture, $"{{\"status\":{(i % 3) + 1},\"timestamp\":{i}}}"))),
            ];
            await Task.WhenAll(publishers.Select(publisher => publisher.SendAsync(stream)));
            await using var later = await RawSocket.ConnectAsync(Server, "comes-later");
            await later.SendAsync(events);
            await ReadUntilAsync(later, first + count - 1);
        }

        async Task<int> ReadUntilAsync(RawSocket client, int last)
        {
            var newest = new Dictionary<string, int>();
            var done = 0;
            var received = 0;
            for (; done < Publishers; received++)
            {
                using var one = JsonDocument.Parse((await client.ReadTextAsync())!);
                var who = one.RootElement.GetProperty("publisher").GetString()!;
                var number = one.RootElement.TryGetProperty("timestamp", out var timestamp) ? timestamp.GetInt32() : 0;
                Assert.True(number > newest.GetValueOrDefault(who, -1), $"{number} of {who} came after {newest.GetValueOrDefault(who)}");
                newest[who] = number;
                done += number == last ? 1 : 0;
            }

            return received;
        }
    }

    private static async Task<List<string>> AnswersAsync(RawSocket client)
    {
        List<string> answers = [];
        while (await client.ReadFrameAsync() is { } frame)
        {
            answers.Add(WireAnswer.Of(frame.Opcode, frame.Payload));
        }

        return answers;
    }
}

/// <summary>Over sockets that have left Kestrel.</summary>
[Collection<PlainSockets>]
public sealed class PlainConnectionTests(PlainServer shared) : ConnectionTests(shared);

/// <summary>Over TLS.</summary>
[Collection<SecureSockets>]
public sealed class SecureConnectionTests(SecureServer shared) : ConnectionTests(shared);
