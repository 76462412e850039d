using System.Text;
using StatusDaemon.Protocol;
using StatusDaemon.Tests.Protocol;

namespace StatusDaemon.Fuzzing;

/// <summary>One seed, one case: what the readers make of it is what the models make of it, however it comes.</summary>
internal static class Fuzz
{
    /// <summary>Streams up to this length are also cut in two at each place.</summary>
    private const int ShortBytes = 200;

    private static readonly int[] Limits = [16, 200, 1 << 17];

    /// <summary>Reads a stream of frames whole, byte by byte, cut at random, and a short one in every two pieces.</summary>
    /// <exception cref="FuzzException">The reader found something else than the model.</exception>
    public static void Frames(int seed)
    {
        var random = new Random(seed);
        var stream = FuzzStream.Next(random);
        var limit = Limits[random.Next(Limits.Length)];
        var expected = FrameModel.Of(stream, limit).Events;
        Compare("whole", () => int.MaxValue);
        Compare("byte by byte", () => 1);
        for (var round = 0; round < 2; round++)
        {
            var most = random.Next(2, 64);
            Compare("at random", () => random.Next(1, most));
        }

        for (var cut = 1; cut < stream.Length && stream.Length <= ShortBytes; cut++)
        {
            Compare($"at {cut}", new Queue<int>([cut, int.MaxValue]).Dequeue);
        }

        void Compare(string how, Func<int> pieceLength)
        {
            using var reader = new FrameReader(limit);
            List<string> found;
            try
            {
                found = ClientFrames.Read(reader, stream, pieceLength);
            }
            catch (Exception e)
            {
                throw new FuzzException(seed, $"{Convert.ToHexStringLower(stream)} cut {how}, limit {limit}, throws {e}");
            }

            if (!found.SequenceEqual(expected))
            {
                throw new FuzzException(seed, $"{Convert.ToHexStringLower(stream)} cut {how}, limit {limit}, gives {string.Join(' ', found)} in place of {string.Join(' ', expected)}");
            }
        }
    }

    /// <summary>Reads a text.</summary>
    /// <exception cref="FuzzException">The reader found something else than the model.</exception>
    public static void Message(int seed)
    {
        var text = FuzzText.Next(new Random(seed));
        var message = new ClientMessage();
        MessageModel found;
        try
        {
            found = MessageReader.TryRead(text, message, out var refusal) ? Of(message) : new(ErrorCodes.TextOf(refusal.Code));
        }
        catch (Exception e)
        {
            throw new FuzzException(seed, $"{Convert.ToHexStringLower(text)} ({Encoding.UTF8.GetString(text)}) throws {e}");
        }

        var expected = MessageModel.Of(text);
        var isSame = found with { Events = [], Publisher = null } == expected with { Events = [], Publisher = null }
            && found.Events.SequenceEqual(expected.Events)
            && (expected.Refusal is not null || message.MayComeFrom(Encoding.UTF8.GetBytes(expected.Publisher ?? "anybody")));
        if (!isSame)
        {
            throw new FuzzException(seed, $"{Convert.ToHexStringLower(text)} ({Encoding.UTF8.GetString(text)}) gives {found} in place of {expected}");
        }
    }

    private static MessageModel Of(ClientMessage message) => new(
        null,
        (int?)message.Status,
        message.Timestamp.IsNone ? null : message.Timestamp.IsQuoted ? $"\"{message.Timestamp}\"" : message.Timestamp.ToString(),
        null,
        [.. Enumerable.Range(0, message.EventCount).Select(i => (Encoding.UTF8.GetString(message.EventUid(i)), message.EventIsSubscribe(i)))]);
}
