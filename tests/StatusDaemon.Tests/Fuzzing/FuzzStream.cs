using static StatusDaemon.Tests.Protocol.ClientFrames;

namespace StatusDaemon.Fuzzing;

/// <summary>Streams of frames that clients might send: good ones, good ones that were damaged, and noise.</summary>
internal static class FuzzStream
{
    /// <summary>Lengths at which a header changes its form, and a reader its buffer.</summary>
    private static readonly int[] Edges = [0, 1, 2, 3, 124, 125, 126, 127, 128, 255, 256, 511, 512, 513, 4095, 4096, 65_534, 65_535, 65_536, 65_537];

    /// <summary>A stream; the same one for the same state of the random numbers.</summary>
    /// <param name="textOf">Makes a text; null takes all kinds.</param>
    public static byte[] Next(Random random, Func<Random, byte[]>? textOf = null)
    {
        if (random.Next(12) == 0)
        {
            return FuzzText.Noise(random, random.Next(1, 400));
        }

        List<byte> stream = [];
        for (var count = random.Next(1, 9); count > 0; count--)
        {
            Append(random, stream, textOf ?? AnyText);
        }

        return random.Next(2) == 0 ? FuzzText.Mutate(random, [.. stream]) : [.. stream];
    }

    private static byte[] AnyText(Random random) =>
        random.Next(10) == 0 ? [.. Enumerable.Repeat((byte)random.Next(32, 127), Edges[random.Next(Edges.Length)])] : FuzzText.Next(random);

    private static void Append(Random random, List<byte> stream, Func<Random, byte[]> textOf)
    {
        switch (random.Next(40))
        {
            case < 20:
                AppendText(random, stream, textOf(random));
                break;
            case < 30:
                AppendControl(random, stream, Ping);
                break;
            case < 34:
                AppendControl(random, stream, Pong);
                break;
            case < 36:
                AppendClose(random, stream);
                break;
            default:
                stream.AddRange(Frame(
                    random.Next(16), FuzzText.Noise(random, random.Next(8)), final: random.Next(2) == 0, reserved: random.Next(4) == 0 ? random.Next(8) : 0,
                    masked: random.Next(8) > 0, lengthForm: random.Next(4) == 0 ? random.Next(2) + 126 : null, key: Key(random)));
                break;
        }
    }

    /// <summary>A text in one frame or in several, perhaps with pings between them.</summary>
    private static void AppendText(Random random, List<byte> stream, byte[] text)
    {
        var opcode = Text;
        for (var at = 0; random.Next(3) == 0;)
        {
            var length = random.Next(text.Length - at + 1);
            stream.AddRange(Frame(opcode, text.AsSpan(at, length), final: false, key: Key(random)));
            (opcode, at, text) = (Continuation, 0, text[(at + length)..]);
            if (random.Next(3) == 0)
            {
                AppendControl(random, stream, Ping);
            }
        }

        stream.AddRange(Frame(opcode, text, key: Key(random)));
    }

    private static void AppendControl(Random random, List<byte> stream, int opcode) =>
        stream.AddRange(Frame(opcode, FuzzText.Noise(random, random.Next(4) == 0 ? random.Next(120, 128) : random.Next(6)), key: Key(random)));

    private static void AppendClose(Random random, List<byte> stream)
    {
        int[] codes = [1000, 1001, 1004, 1005, 1006, 1007, 1014, 1015, 2999, 3000, 4999, 5000, random.Next(65_536)];
        stream.AddRange(random.Next(4) == 0
            ? Frame(Close, FuzzText.Noise(random, random.Next(4)), key: Key(random))
            : CloseWith(codes[random.Next(codes.Length)], FuzzText.Next(random) is { Length: <= 123 } reason ? reason : []));
    }

    private static byte[] Key(Random random) => FuzzText.Noise(random, 4);
}
