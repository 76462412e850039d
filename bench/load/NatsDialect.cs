using System.Buffers.Text;
using System.Text.Unicode;

namespace StatusDaemon.Load;

/// <summary>NATS: each subscriber is a subject.</summary>
internal sealed class NatsDialect(Community community) : Dialect(community, isText: false)
{
    /// <inheritdoc/>
    public override void Join(Crowd crowd, Line line)
    {
        var rest = Room;
        Put(ref rest, "CONNECT {\"verbose\":false,\"pedantic\":false,\"tls_required\":false,\"name\":\"load\",\"lang\":\"c#\",\"version\":\"1\",\"protocol\":1}\r\n"u8);
        var number = 0;
        foreach (var person in Community.WatchedBy(line.Number))
        {
            Put(ref rest, "SUB "u8);
            Put(ref rest, Community.UidOf(person));
            Utf8.TryWrite(rest, $" {++number}\r\n", out var written);
            rest = rest[written..];
        }

        Put(ref rest, "PING\r\n"u8);
        line.AnswersToCome = 1;
        Send(crowd, line, Room.Length - rest.Length);
    }

    /// <inheritdoc/>
    public override void Publish(Crowd crowd, Line line, long time)
    {
        Span<byte> status = stackalloc byte[64];
        status = status[..WriteStatus(status, time)];
        var rest = Room;
        Put(ref rest, "PUB "u8);
        Put(ref rest, Community.UidOf(line.Number));
        Utf8.TryWrite(rest, $" {status.Length}\r\n", out var written);
        rest = rest[written..];
        Put(ref rest, status);
        Put(ref rest, "\r\n"u8);
        Send(crowd, line, Room.Length - rest.Length);
    }

    /// <inheritdoc/>
    public override int Take(Crowd crowd, Line line, ReadOnlySpan<byte> payload)
    {
        var used = 0;
        for (var rest = payload; rest.IndexOf("\r\n"u8) is >= 0 and var end; rest = payload[used..])
        {
            var words = rest[..end];
            used += end + 2;
            if (words.StartsWith("MSG "u8))
            {
                // MSG subject subscription size
                var size = SizeOf(words);
                if (rest.Length < end + 2 + size + 2)
                {
                    return used - end - 2;
                }

                used += size + 2;
                if (Notice.TryRead(rest.Slice(end + 2, size), out var notice) && words.Length > 4 + Community.UidBytes)
                {
                    crowd.Deliver(line, words.Slice(4, Community.UidBytes), notice.Status, notice.Time);
                }
                else
                {
                    crowd.Refuse(words);
                }
            }
            else if (words.StartsWith("PING"u8))
            {
                "PONG\r\n"u8.CopyTo(Room);
                Send(crowd, line, 6);
            }
            else if (words.StartsWith("PONG"u8))
            {
                crowd.TakeAnswer(line);
            }
            else if (words.StartsWith("-"u8))
            {
                crowd.Refuse(words);
            }
        }

        return used;
    }

    private static int SizeOf(ReadOnlySpan<byte> words) => Utf8Parser.TryParse(words[(words.LastIndexOf((byte)' ') + 1)..], out int size, out _) ? size : 0;

    private static void Put(ref Span<byte> rest, scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(rest);
        rest = rest[bytes.Length..];
    }
}
