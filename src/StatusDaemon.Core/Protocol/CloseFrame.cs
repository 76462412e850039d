using System.Buffers.Binary;
using System.Text.Unicode;

namespace StatusDaemon.Protocol;

/// <summary>The frame that ends a connection, or answers the client's: RFC 6455 §5.5.1.</summary>
public static class CloseFrame
{
    /// <summary>A close frame with a code and the reason in words.</summary>
    /// <param name="code">One of ours, or the client's own when it is answered.</param>
    /// <param name="reason">For people; what does not fit into 123 bytes is cut off between characters.</param>
    public static byte[] Of(CloseCode code, string reason)
    {
        Span<byte> payload = stackalloc byte[ServerFrame.MaxControlBytes];
        BinaryPrimitives.WriteUInt16BigEndian(payload, (ushort)code);
        Utf8.FromUtf16(reason, payload[2..], out _, out var reasonBytes);
        return ServerFrame.Build(Opcode.Close, payload[..(2 + reasonBytes)]);
    }
}
