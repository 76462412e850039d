using System.Buffers.Binary;

namespace StatusDaemon.Load;

/// <summary>MQTT 3.1.1 at QoS 0: each subscriber is a topic, whose last status is retained as a status-daemon keeps it.</summary>
internal sealed class MqttDialect(Community community) : Dialect(community, isText: false)
{
    private const int TopicsOfPacket = 100;

    /// <inheritdoc/>
    public override string Subprotocol => "mqtt";

    /// <inheritdoc/>
    public override void Join(Crowd crowd, Line line)
    {
        // CONNECT, level 4, a clean session that never expires for want of a ping. The CONNACK comes in Take.
        var watched = Community.WatchedBy(line.Number);
        line.AnswersToCome = 1 + ((watched.Length + TopicsOfPacket - 1) / TopicsOfPacket);
        var room = Room;
        ReadOnlySpan<byte> start = [0x10, 12 + Community.UidBytes, 0, 4, (byte)'M', (byte)'Q', (byte)'T', (byte)'T', 4, 2, 0, 0];
        start.CopyTo(room);
        PutText(room[start.Length..], Community.UidOf(line.Number));
        Send(crowd, line, start.Length + 2 + Community.UidBytes);
    }

    /// <inheritdoc/>
    public override void Publish(Crowd crowd, Line line, long time)
    {
        Span<byte> status = stackalloc byte[64];
        status = status[..WriteStatus(status, time)];
        var room = Room;
        room[0] = 0x31; // PUBLISH, retained
        room[1] = (byte)(2 + Community.UidBytes + status.Length); // below 128: one byte of length
        PutText(room[2..], Community.UidOf(line.Number));
        status.CopyTo(room[(4 + Community.UidBytes)..]);
        Send(crowd, line, 4 + Community.UidBytes + status.Length);
    }

    /// <inheritdoc/>
    public override int Take(Crowd crowd, Line line, ReadOnlySpan<byte> payload)
    {
        var used = 0;
        while (TryCut(payload[used..], out var header, out var length) && payload.Length - used >= header + length)
        {
            var packet = payload.Slice(used + header, length);
            var type = payload[used] >> 4;
            used += header + length;
            switch (type)
            {
                case 2 when packet is [_, 0]: // CONNACK
                    Watch(crowd, line);
                    crowd.TakeAnswer(line);
                    break;
                case 9: // SUBACK
                    crowd.TakeAnswer(line);
                    break;
                case 3 when length > 2 + Community.UidBytes && BinaryPrimitives.ReadUInt16BigEndian(packet) == Community.UidBytes
                        && Notice.TryRead(packet[(2 + Community.UidBytes)..], out var notice): // PUBLISH
                    crowd.Deliver(line, packet.Slice(2, Community.UidBytes), notice.Status, notice.Time);
                    break;
                default:
                    crowd.Refuse(packet);
                    break;
            }
        }

        return used;
    }

    private void Watch(Crowd crowd, Line line)
    {
        var watched = Community.WatchedBy(line.Number);
        for (var from = 0; from < watched.Length; from += TopicsOfPacket)
        {
            var part = watched[from..Math.Min(from + TopicsOfPacket, watched.Length)];
            var length = 2 + (part.Length * (2 + Community.UidBytes + 1));
            var room = Room;
            room[0] = 0x82; // SUBSCRIBE
            room[1] = (byte)(0x80 | (length & 0x7F));
            room[2] = (byte)(length >> 7); // below 16,384: two bytes of length, the shorter form is as good
            BinaryPrimitives.WriteUInt16BigEndian(room[3..], (ushort)(from + 1));
            var at = 5;
            foreach (var person in part)
            {
                PutText(room[at..], Community.UidOf(person));
                at += 2 + Community.UidBytes;
                room[at++] = 0; // QoS
            }

            Send(crowd, line, at);
        }
    }

    /// <summary>Reads how long a packet is: up to four bytes of seven bits, the lowest first.</summary>
    private static bool TryCut(ReadOnlySpan<byte> packet, out int header, out int length)
    {
        length = 0;
        for (header = 1; header < packet.Length && header <= 4;)
        {
            var digit = packet[header];
            length |= (digit & 0x7F) << (7 * (header - 1));
            header++;
            if ((digit & 0x80) == 0)
            {
                return true;
            }
        }

        return false;
    }

    private static void PutText(Span<byte> room, ReadOnlySpan<byte> text)
    {
        BinaryPrimitives.WriteUInt16BigEndian(room, (ushort)text.Length);
        text.CopyTo(room[2..]);
    }
}
