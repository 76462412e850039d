using StatusDaemon.Fuzzing;
using StatusDaemon.Tests.Protocol;

namespace StatusDaemon.EndToEnd;

/// <summary>The <see cref="ConformanceCases"/> through the real program, over both ways to a socket.</summary>
public abstract class ConformanceTests(SocketServer shared)
{
    public static TheoryData<string> Numbers => [.. ConformanceCases.All.Keys];

    [Theory, MemberData(nameof(Numbers))]
    public async Task A_case_ends_as_it_should(string number)
    {
        var one = ConformanceCases.All[number];
        List<string> expected = [.. one.Events.SelectMany(WireAnswer.To)];
        await using var client = await RawSocket.ConnectAsync(shared.Server, $"case-{number}");
        var sending = SendAsync(client, one.Pieces);

        List<string> seen = [];
        while (seen.Count < expected.Count && await client.ReadFrameAsync() is { } frame)
        {
            seen.Add(WireAnswer.Of(frame.Opcode, frame.Payload));
        }

        Assert.Equal(expected, seen);
        await sending;
        if (one.IsOpen)
        {
            // The next that comes is the answer to this: nothing was answered that should not be.
            await client.SendAsync(ClientFrames.CloseWith(1000));
            Assert.Equal("close:1000", await client.ReadFrameAsync() is { } last ? WireAnswer.Of(last.Opcode, last.Payload) : null);
        }

        await client.SendAsync(one.Held);
        await client.EndSendingAsync();
        Assert.Null(await client.ReadFrameAsync());
    }

    private static async Task SendAsync(RawSocket client, IEnumerable<byte[]> pieces)
    {
        foreach (var piece in pieces)
        {
            await client.SendAsync(piece);
        }
    }
}

/// <summary>Over sockets that have left Kestrel.</summary>
[Collection<PlainSockets>]
public sealed class PlainConformanceTests(PlainServer shared) : ConformanceTests(shared);

/// <summary>Over TLS.</summary>
[Collection<SecureSockets>]
public sealed class SecureConformanceTests(SecureServer shared) : ConformanceTests(shared);
