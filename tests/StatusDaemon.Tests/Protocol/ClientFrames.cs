using System.Buffers.Binary;
using System.Text;
using StatusDaemon.Protocol;

namespace StatusDaemon.Tests.Protocol;

/// <summary>Frames as a client sends them, good and bad, and what a reader makes of them.</summary>
internal static class ClientFrames
{
    public const int Continuation = 0, Text = 1, Binary = 2, Close = 8, Ping = 9, Pong = 10;

    private static readonly byte[] Key = [0x37, 0xFA, 0x21, 0x3D];

    public static byte[] Frame(int opcode, ReadOnlySpan<byte> payload, bool final = true, int reserved = 0, bool masked = true, int? lengthForm = null, byte[]? key = null)
    {
        key ??= Key;
        var form = lengthForm ?? payload.Length switch { <= 125 => payload.Length, <= 65_535 => 126, _ => 127 };
        List<byte> frame = [(byte)((final ? 0x80 : 0) | (reserved << 4) | opcode), (byte)((masked ? 0x80 : 0) | form)];
        var length = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(length, payload.Length);
        frame.AddRange(form switch { 126 => length.AsSpan(6), 127 => length, _ => [] });
        if (masked)
        {
            frame.AddRange(key);
        }

        for (var i = 0; i < payload.Length; i++)
        {
            frame.Add((byte)(payload[i] ^ (masked ? key[i & 3] : 0)));
        }

        return [.. frame];
    }

    public static byte[] Frame(int opcode, string payload, bool final = true, int reserved = 0) =>
        Frame(opcode, Encoding.UTF8.GetBytes(payload), final, reserved);

    public static byte[] CloseWith(int code, ReadOnlySpan<byte> reason = default) =>
        Frame(Close, [(byte)(code >> 8), (byte)code, .. reason]);

    /// <summary>A text message cut into frames of so many bytes, the last of them final.</summary>
    public static byte[] InFragments(ReadOnlySpan<byte> text, int size)
    {
        List<byte> stream = [];
        for (var at = 0; at < text.Length; at += size)
        {
            var rest = text[at..];
            stream.AddRange(Frame(at == 0 ? Text : Continuation, rest[..Math.Min(size, rest.Length)], final: rest.Length <= size));
        }

        return [.. stream];
    }

    /// <summary>Feeds a stream in pieces and writes down each event, such as <c>text:61</c> or <c>refused:1002</c>.</summary>
    public static List<string> Read(FrameReader reader, ReadOnlySpan<byte> stream, Func<int> pieceLength)
    {
        List<string> events = [];
        while (!stream.IsEmpty)
        {
            var piece = stream[..Math.Clamp(pieceLength(), 1, stream.Length)];
            stream = stream[piece.Length..];
            for (var found = reader.Read(ref piece); found != FrameEvent.NeedsMore; found = reader.Read(ref piece))
            {
                events.Add(found switch
                {
                    FrameEvent.Text => $"text:{Convert.ToHexStringLower(reader.Payload)}",
                    FrameEvent.Ping => $"ping:{Convert.ToHexStringLower(reader.Payload)}",
                    FrameEvent.Pong => $"pong:{Convert.ToHexStringLower(reader.Payload)}",
                    FrameEvent.Close => $"close:{(int)reader.CloseCode}",
                    _ => $"refused:{(int)reader.CloseCode}",
                });
            }

            if (!piece.IsEmpty)
            {
                throw new InvalidOperationException("The reader left input behind.");
            }
        }

        return events;
    }

    public static List<string> Read(ReadOnlySpan<byte> stream, int pieceLength = int.MaxValue, int maxMessageBytes = 1 << 20)
    {
        using var reader = new FrameReader(maxMessageBytes);
        return Read(reader, stream, () => pieceLength);
    }

    public static string TextEvent(ReadOnlySpan<byte> utf8) => $"text:{Convert.ToHexStringLower(utf8)}";
}
