using System.Buffers.Binary;

namespace StatusDaemon.Fuzzing;

/// <summary>What RFC 6455 makes of a client's bytes when all of them are in hand: slow, short, and without a line in common with the reader that it judges.</summary>
internal sealed class FrameModel
{
    private readonly List<string> events = [];
    private readonly List<byte> message = [];
    private readonly int maxMessageBytes;
    private readonly byte[] stream;
    private bool inMessage;
    private int at;

    private FrameModel(byte[] stream, int maxMessageBytes)
    {
        this.stream = stream;
        this.maxMessageBytes = maxMessageBytes;
    }

    /// <summary>What it finds, as <c>ClientFrames.Read</c> writes it down.</summary>
    public IReadOnlyList<string> Events => events;

    /// <summary>Whether nothing can follow.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Whether the stream ends between two messages.</summary>
    public bool IsBetweenMessages => !IsEnded && !inMessage && at == stream.Length;

    /// <summary>Reads a stream.</summary>
    public static FrameModel Of(byte[] stream, int maxMessageBytes)
    {
        var model = new FrameModel(stream, maxMessageBytes);
        while (!model.IsEnded && model.ReadFrame())
        {
            // There may be another.
        }

        return model;
    }

    /// <returns>False if the frame is not complete, or the last.</returns>
    private bool ReadFrame()
    {
        var rest = stream.AsSpan(at);
        if (rest.Length < 2)
        {
            return false;
        }

        var (opcode, isFinal, shortLength) = (rest[0] & 15, rest[0] >= 128, rest[1] & 127);
        var isControl = opcode >= 8;
        if ((rest[0] & 0x70) != 0 || opcode is (> 2 and < 8) or > 10 || rest[1] < 128)
        {
            return End("refused:1002");
        }

        if (isControl ? !isFinal || shortLength > 125 : inMessage == (opcode != 0))
        {
            return End("refused:1002");
        }

        if (opcode == 2)
        {
            return End("refused:1003");
        }

        var header = shortLength switch { < 126 => 2, 126 => 4, _ => 10 };
        if (rest.Length < header + 4)
        {
            return false;
        }

        var length = header switch
        {
            2 => (ulong)shortLength,
            4 => BinaryPrimitives.ReadUInt16BigEndian(rest[2..]),
            _ => BinaryPrimitives.ReadUInt64BigEndian(rest[2..]),
        };
        if ((header == 4 && length < 126) || (header == 10 && length is < 65_536 or >= 1UL << 63))
        {
            return End("refused:1002");
        }

        if (!isControl && length > (ulong)(maxMessageBytes - message.Count))
        {
            return End("refused:1009");
        }

        var key = rest.Slice(header, 4).ToArray();
        var masked = rest[(header + 4)..];
        var isWhole = (ulong)masked.Length >= length;
        byte[] payload = [.. masked[..(isWhole ? (int)length : masked.Length)].ToArray().Select((value, i) => (byte)(value ^ key[i % 4]))];
        return isControl
            ? isWhole && EndControl(opcode, payload, header + 4 + payload.Length)
            : EndData(payload, isFinal, isWhole, header + 4 + payload.Length);
    }

    private bool EndControl(int opcode, byte[] payload, int frameBytes)
    {
        at += frameBytes;
        if (opcode != 8)
        {
            events.Add($"{(opcode == 9 ? "ping" : "pong")}:{Convert.ToHexStringLower(payload)}");
            return true;
        }

        var code = payload.Length >= 2 ? BinaryPrimitives.ReadUInt16BigEndian(payload) : 0;
        return payload.Length == 0 ? End("close:1000")
            : code is not (1000 or 1001 or 1002 or 1003 or (> 1006 and < 1015) or (>= 3000 and < 5000)) ? End("refused:1002")
            : End(CharactersEnd(payload.AsSpan(2)) == payload.Length - 2 ? $"close:{code}" : "refused:1007");
    }

    private bool EndData(byte[] payload, bool isFinal, bool isWhole, int frameBytes)
    {
        message.AddRange(payload);
        var end = CharactersEnd(message.ToArray());
        if (end < 0 || (isFinal && isWhole && end < message.Count))
        {
            return End("refused:1007");
        }

        if (!isWhole)
        {
            return false;
        }

        at += frameBytes;
        inMessage = !isFinal;
        if (isFinal)
        {
            events.Add($"text:{Convert.ToHexStringLower(message.ToArray())}");
            message.Clear();
        }

        return true;
    }

    private bool End(string last)
    {
        events.Add(last);
        IsEnded = true;
        return false;
    }

    /// <summary>Where the last whole character ends, if no more than the beginning of another follows it; else -1. By table 3-7 of the Unicode standard.</summary>
    private static int CharactersEnd(ReadOnlySpan<byte> text)
    {
        for (var start = 0; start < text.Length;)
        {
            var (length, second, lastSecond) = text[start] switch
            {
                <= 0x7F => (1, 0, 0),
                >= 0xC2 and <= 0xDF => (2, 0x80, 0xBF),
                0xE0 => (3, 0xA0, 0xBF),
                0xED => (3, 0x80, 0x9F),
                >= 0xE1 and <= 0xEF => (3, 0x80, 0xBF),
                0xF0 => (4, 0x90, 0xBF),
                >= 0xF1 and <= 0xF3 => (4, 0x80, 0xBF),
                0xF4 => (4, 0x80, 0x8F),
                _ => (0, 0, 0),
            };
            if (length == 0)
            {
                return -1;
            }

            for (var i = 1; i < length && start + i < text.Length; i++)
            {
                var value = text[start + i];
                if (i == 1 ? value < second || value > lastSecond : value is < 0x80 or > 0xBF)
                {
                    return -1;
                }
            }

            if (start + length > text.Length)
            {
                return start;
            }

            start += length;
        }

        return text.Length;
    }
}
