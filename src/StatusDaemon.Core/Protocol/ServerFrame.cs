using System.Buffers.Binary;

namespace StatusDaemon.Protocol;

/// <summary>Frames as a server sends them: whole and not masked (RFC 6455 §5.1), so that all recipients can share one array.</summary>
public static class ServerFrame
{
    /// <summary>Longest payload of a control frame: RFC 6455 §5.5.</summary>
    public const int MaxControlBytes = 125;

    private const byte Final = 0x80;

    /// <summary>A ping without payload: what a silent client is asked with. Shared, never to be written to.</summary>
    public static byte[] Ping { get; } = Build(Opcode.Ping, []);

    /// <summary>A text message.</summary>
    public static byte[] Text(ReadOnlySpan<byte> utf8) => Build(Opcode.Text, utf8);

    /// <summary>The answer to a ping.</summary>
    /// <param name="payload">The ping's own, at most <see cref="MaxControlBytes"/>.</param>
    public static byte[] Pong(ReadOnlySpan<byte> payload) => Build(Opcode.Pong, payload);

    internal static byte[] Build(Opcode opcode, ReadOnlySpan<byte> payload)
    {
        if (opcode >= Opcode.Close)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(payload.Length, MaxControlBytes);
        }

        var headerBytes = payload.Length switch { <= 125 => 2, <= ushort.MaxValue => 4, _ => 10 };
        var frame = new byte[headerBytes + payload.Length];
        frame[0] = (byte)(Final | (byte)opcode);
        switch (headerBytes)
        {
            case 2:
                frame[1] = (byte)payload.Length;
                break;
            case 4:
                frame[1] = 126;
                BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), (ushort)payload.Length);
                break;
            default:
                frame[1] = 127;
                BinaryPrimitives.WriteUInt64BigEndian(frame.AsSpan(2), (ulong)payload.Length);
                break;
        }

        payload.CopyTo(frame.AsSpan(headerBytes));
        return frame;
    }
}
