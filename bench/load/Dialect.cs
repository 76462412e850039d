using System.Buffers.Binary;
using System.Text;
using StatusDaemon.Protocol;

namespace StatusDaemon.Load;

/// <summary>What goes on inside of the WebSocket frames of a server.</summary>
/// <param name="isText">Whether it travels in text frames; else in binary ones.</param>
internal abstract class Dialect(Community community, bool isText)
{
    private const int MaxFrameHeader = 14;
    private const byte Final = 0x80;

    private readonly byte[] frame = GC.AllocateUninitializedArray<byte>(1 << 20);

    /// <summary>The <c>Sec-WebSocket-Protocol</c> that it asks for; null for none.</summary>
    public virtual string? Subprotocol => null;

    /// <summary>Who is who.</summary>
    protected Community Community => community;

    /// <summary>Where the payload is written that is to be sent.</summary>
    protected Span<byte> Room => frame.AsSpan(MaxFrameHeader);

    /// <summary>The dialect with a name.</summary>
    public static Dialect Of(DialectName name, Community community) => name switch
    {
        DialectName.Nats => new NatsDialect(community),
        DialectName.Mqtt => new MqttDialect(community),
        _ => new StatusdDialect(community),
    };

    /// <summary>Begins after the upgrade: greets and watches, or greets and goes on in <see cref="Take"/>.</summary>
    public abstract void Join(Crowd crowd, Line line);

    /// <summary>Publishes the status that belongs to a time.</summary>
    public abstract void Publish(Crowd crowd, Line line, long time);

    /// <summary>Takes the payload of a frame, or several joined.</summary>
    /// <returns>How much of it was used; the rest comes again with more behind it.</returns>
    public abstract int Take(Crowd crowd, Line line, ReadOnlySpan<byte> payload);

    /// <summary>Takes a pong: nothing but what ends a wait.</summary>
    public virtual void TakePong(Crowd crowd, Line line)
    {
    }

    /// <summary>A status as all dialects carry it.</summary>
    protected static int WriteStatus(Span<byte> room, long time)
    {
        if (!System.Text.Unicode.Utf8.TryWrite(room, $"{{\"status\":{Ledger.StatusAt(time)},\"timestamp\":\"{time / 1_000_000}.{time % 1_000_000:D6}\"}}", out var written))
        {
            throw new InvalidOperationException("The room is larger than any status.");
        }

        return written;
    }

    /// <summary>Sends what is in <see cref="Room"/>.</summary>
    protected void Send(Crowd crowd, Line line, int bytes) => Send(crowd, line, isText ? (byte)0x1 : (byte)0x2, bytes);

    /// <summary>Sends the ping that ends a wait: the server answers it when it has read all before.</summary>
    protected void SendPing(Crowd crowd, Line line) => Send(crowd, line, 0x9, 0);

    /// <summary>Sends the payload of a ping back.</summary>
    public void SendPong(Crowd crowd, Line line, ReadOnlySpan<byte> payload)
    {
        payload.CopyTo(Room);
        Send(crowd, line, 0xA, payload.Length);
    }

    /// <summary>An upgrade request.</summary>
    public byte[] Upgrade(CrowdOrder order, int person)
    {
        var uid = Encoding.ASCII.GetString(community.UidOf(person));
        var text = new StringBuilder()
            .Append($"GET {order.Path} HTTP/1.1\r\nHost: {order.Host}:{order.Port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
            .Append($"Sec-WebSocket-Version: {HandshakeKey.Version}\r\nSec-WebSocket-Key: {Crowd.Key}\r\n");
        foreach (var header in Subprotocol is null ? order.Headers : [.. order.Headers, $"Sec-WebSocket-Protocol: {Subprotocol}"])
        {
            text.Append(header).Append("\r\n");
        }

        return Encoding.ASCII.GetBytes(text.Append("\r\n").Replace("%s", uid).ToString());
    }

    /// <summary>Puts the header before the payload. Its mask is four zeros: a server unmasks it all the same, and the payload stays as it is.</summary>
    private void Send(Crowd crowd, Line line, byte opcode, int bytes)
    {
        var lengthBytes = bytes switch { < 126 => 0, <= ushort.MaxValue => 2, _ => 8 };
        var header = frame.AsSpan(0, MaxFrameHeader)[^(6 + lengthBytes)..];
        header.Clear();
        header[0] = (byte)(Final | opcode);
        header[1] = (byte)(0x80 | lengthBytes switch { 0 => bytes, 2 => 126, _ => 127 });
        if (lengthBytes == 2)
        {
            BinaryPrimitives.WriteUInt16BigEndian(header[2..], (ushort)bytes);
        }
        else if (lengthBytes == 8)
        {
            BinaryPrimitives.WriteUInt64BigEndian(header[2..], (ulong)bytes);
        }

        crowd.Send(line, frame.AsSpan(MaxFrameHeader - header.Length, header.Length + bytes));
    }
}
