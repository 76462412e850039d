using StatusDaemon.EndToEnd;
using StatusDaemon.Tests.Protocol;

namespace StatusDaemon.Fuzzing;

/// <summary>Streams over real sockets: each is answered as the models say, and a server that was shouted at serves on.</summary>
internal static class SocketFuzz
{
    private const int MessageBytes = 256 * 1024; // SERVICE.limits.message as it comes

    /// <summary>Sends one stream, cut at random, and reads to the end of the connection; some clients leave with a reset in the middle.</summary>
    /// <exception cref="FuzzException">The server answered something else than it should.</exception>
    public static async Task RunAsync(IListening server, int seed)
    {
        var random = new Random(seed);
        var stream = FuzzStream.Next(random);
        var model = FrameModel.Of(stream, MessageBytes);
        List<string> expected = [.. model.Events.SelectMany(WireAnswer.To)];
        if (model.IsBetweenMessages)
        {
            stream = [.. stream, .. ClientFrames.CloseWith(1000)];
            expected.Add("close:1000");
        }
        else if (!model.IsEnded)
        {
            expected.Add("close:1002"); // what it ends in is no close frame
        }

        var behind = random.Next(3) == 0 ? random.Next(stream.Length + 1) : 0; // sent with the request
        await using var client = await RawSocket.ConnectAsync(server, $"fuzz-{seed}", stream[..behind]);
        if (random.Next(10) == 0)
        {
            await client.SendAsync(stream.AsMemory(behind, random.Next(stream.Length - behind + 1)));
            client.Reset();
            return;
        }

        var sending = SendAsync(client, random, stream.AsMemory(behind));
        List<string> seen = [];
        while (await client.ReadFrameAsync() is { } frame)
        {
            seen.Add(WireAnswer.Of(frame.Opcode, frame.Payload));
        }

        await sending;

        // What the router tells comes at its own time, or not any more when the connection is closed meanwhile.
        var answers = seen.Where(one => !WireAnswer.IsTold(one));
        if (!answers.SequenceEqual(expected.Where(one => !WireAnswer.IsTold(one))) || seen.Where(WireAnswer.IsTold).Except(expected).Any())
        {
            throw new FuzzException(seed, $"{Convert.ToHexStringLower(stream)} is answered {string.Join(' ', seen)} in place of {string.Join(' ', expected)}");
        }
    }

    private static async Task SendAsync(RawSocket client, Random random, ReadOnlyMemory<byte> rest)
    {
        while (!rest.IsEmpty)
        {
            var piece = rest[..random.Next(1, Math.Min(rest.Length, rest.Length > 2_000 ? 8_000 : 200) + 1)];
            await client.SendAsync(piece);
            rest = rest[piece.Length..];
        }

        await client.EndSendingAsync();
    }
}
