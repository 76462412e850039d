using System.Text.Json;
using StatusDaemon.Tests.Protocol;

namespace StatusDaemon.EndToEnd;

/// <summary>Clients that read slowly, or not at all, over both ways to a socket.</summary>
/// <param name="patient">Bears a stalled reader for as long as it does by default.</param>
/// <param name="impatient">Bears a stalled reader for a second.</param>
public abstract class SlowReaderTests(SocketServer patient, SharedServer impatient)
{
    private const int Publishers = 8;
    private const int Statuses = 800; // of each: together some times what pipe and kernel hold

    [Fact]
    public async Task A_slow_reader_skips_but_gets_the_last_status_of_each_and_what_rings_first()
    {
        var names = patient.Take(Publishers + 2);
        var publishers = names[2..];
        await using var slow = await RawSocket.ConnectAsync(patient.Server, names[0], receiveBuffer: 4096);
        await using var quick = await TestSocket.ConnectAsync(patient.Server, names[1]);
        var all = EventsFor(publishers);
        await slow.SendAsync(all);
        await quick.SendAsync(all);
        foreach (var publisher in publishers)
        {
            Assert.Contains("\"status\":8", await slow.ReadTextAsync(), StringComparison.Ordinal);
        }

        await PublishAsync(patient.Server, publishers, quick, publisher => publisher == publishers[^1] ? 4 : 5); // what rings, rings last

        var newest = new Dictionary<string, int>();
        List<string> finals = [];
        var received = 0;
        while (finals.Count < Publishers)
        {
            using var seen = JsonDocument.Parse((await slow.ReadTextAsync())!);
            var who = seen.RootElement.GetProperty("publisher").GetString()!;
            var number = seen.RootElement.GetProperty("timestamp").GetInt32();
            Assert.True(number > newest.GetValueOrDefault(who), $"{number} of {who} came after {newest.GetValueOrDefault(who)}");
            newest[who] = number;
            received++;
            if (number == Statuses)
            {
                finals.Add(who);
            }
        }

        Assert.Equal(publishers[^1], finals[0]);
        Assert.InRange(received, Publishers, Publishers * Statuses / 2);
    }

    [Fact]
    public async Task Who_never_reads_is_closed_1013_and_sees_the_latest_when_he_comes_back()
    {
        var names = impatient.Take(Publishers + 2);
        var publishers = names[2..];
        await using var quick = await TestSocket.ConnectAsync(impatient.Server, names[1]);
        await quick.SendAsync(EventsFor(publishers));
        await using var stalled = await RawSocket.ConnectAsync(impatient.Server, names[0], receiveBuffer: 4096);
        await stalled.SendAsync(EventsFor(publishers));
        await stalled.ReadTextAsync();
        var before = impatient.Server.ResidentBytes();

        await PublishAsync(impatient.Server, publishers, quick, static _ => 5);
        await impatient.Server.SeesAsync($"ws {stalled.Socket.LocalEndPoint} is closed 1013: nothing was read for too long");

        Assert.InRange(impatient.Server.ResidentBytes() - before, long.MinValue, 100 << 20);
        Assert.Equal(1013, await stalled.ReadCloseAsync());
        await using var again = await TestSocket.ConnectAsync(impatient.Server, names[0]);
        Assert.Equal($$$"""{"status":5,"publisher":"{{{publishers[0]}}}","timestamp":{{{Statuses}}}}""", await again.WatchAsync(publishers[0]));
    }

    [Fact]
    public async Task Who_never_reads_and_never_leaves_is_cut_off()
    {
        var names = impatient.Take(Publishers + 2);
        var publishers = names[2..];
        await using var quick = await TestSocket.ConnectAsync(impatient.Server, names[1]);
        await quick.SendAsync(EventsFor(publishers));
        List<RawSocket> stalled = [];
        for (var i = 0; i < 16; i++)
        {
            var one = await RawSocket.ConnectAsync(impatient.Server, names[0], receiveBuffer: 4096);
            await one.SendAsync(EventsFor(publishers));
            await one.ReadTextAsync();
            stalled.Add(one);
        }

        await PublishAsync(impatient.Server, publishers, quick, static _ => 5);

        // Nobody reads their close frames: their places are free once the server has given them up.
        while (true)
        {
            await using var next = await RawSocket.ConnectTcpAsync(impatient.Server);
            await next.SendAsync(RawSocket.Upgrade(names[0]));
            if ((await next.ReadHeadersAsync()).Contains(" 101 ", StringComparison.Ordinal))
            {
                break;
            }

            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        foreach (var one in stalled)
        {
            await one.DisposeAsync();
        }
    }

    [Fact]
    public async Task Who_asks_and_never_reads_the_answers_is_closed_1013()
    {
        await using var client = await RawSocket.ConnectAsync(impatient.Server, impatient.Take(1)[0], receiveBuffer: 4096);
        var sending = client.SendAsync((byte[])[.. Enumerable.Range(0, 50_000).SelectMany(_ => ClientFrames.Frame(ClientFrames.Text, "{"))]);
        await impatient.Server.SeesAsync($"ws {client.Socket.LocalEndPoint} is closed 1013: nothing was read for too long");

        Assert.Equal(1013, await client.ReadCloseAsync());
        await sending;
    }

    private static string EventsFor(IEnumerable<string> publishers) =>
        "{\"events\":{" + string.Join(',', publishers.Select(publisher => $"\"{publisher}\":9")) + "}}";

    /// <summary>Publishes numbered statuses of all, each round when a quick reader has seen the one before: so nothing is left out before it comes to a socket.</summary>
    private static async Task PublishAsync(StatusdProcess server, string[] publishers, TestSocket quick, Func<string, int> last)
    {
        List<RawSocket> sockets = [];
        foreach (var publisher in publishers)
        {
            sockets.Add(await RawSocket.ConnectAsync(server, publisher));
        }

        for (var round = 1; round <= Statuses; round++)
        {
            for (var i = 0; i < publishers.Length; i++)
            {
                await sockets[i].SendAsync($$$"""{"status":{{{(round < Statuses ? (round % 3) + 1 : last(publishers[i]))}}},"timestamp":{{{round}}}}""");
            }

            for (var seen = 0; seen < publishers.Length;)
            {
                seen += (await quick.ReceiveAsync())!.Contains($"\"timestamp\":{round}}}", StringComparison.Ordinal) ? 1 : 0;
            }
        }

        foreach (var socket in sockets)
        {
            await socket.DisposeAsync();
        }
    }
}

/// <summary>Over sockets that have left Kestrel.</summary>
[Collection<PlainSockets>]
public sealed class PlainSlowReaderTests(PlainServer patient, PlainSlowReaderTests.ImpatientServer impatient) : SlowReaderTests(patient, impatient), IClassFixture<PlainSlowReaderTests.ImpatientServer>
{
    /// <summary>A server that bears a stalled reader for a second.</summary>
    public sealed class ImpatientServer() : SharedServer("SERVICE: { limits: { stalled: 1s } }\nLOG: { level: debug }");
}

/// <summary>Over TLS.</summary>
[Collection<SecureSockets>]
public sealed class SecureSlowReaderTests(SecureServer patient, SecureSlowReaderTests.ImpatientServer impatient) : SlowReaderTests(patient, impatient), IClassFixture<SecureSlowReaderTests.ImpatientServer>
{
    /// <summary>A server that bears a stalled reader for a second.</summary>
    public sealed class ImpatientServer() : SharedServer("SERVICE: { limits: { stalled: 1s } }\nLOG: { level: debug }", tls: true);
}
