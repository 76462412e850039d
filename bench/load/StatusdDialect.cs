namespace StatusDaemon.Load;

/// <summary>docs/protocol.md: also spoken by the floor and the Kestrel peer.</summary>
internal sealed class StatusdDialect(Community community) : Dialect(community, isText: true)
{
    private const int EventsOfMessage = 100;

    /// <inheritdoc/>
    public override void Join(Crowd crowd, Line line)
    {
        var watched = Community.WatchedBy(line.Number);
        for (var from = 0; from < watched.Length; from += EventsOfMessage)
        {
            var rest = Room;
            Put(ref rest, "{\"events\":{"u8);
            foreach (var person in watched[from..Math.Min(from + EventsOfMessage, watched.Length)])
            {
                Put(ref rest, "\""u8);
                Put(ref rest, Community.UidOf(person));
                Put(ref rest, "\":9,"u8);
            }

            // The last comma is one too many.
            var bytes = Room.Length - rest.Length - 1;
            rest = Room[bytes..];
            Put(ref rest, "}}"u8);
            Send(crowd, line, bytes + 2);
        }

        line.AnswersToCome = 1;
        SendPing(crowd, line);
    }

    /// <inheritdoc/>
    public override void Publish(Crowd crowd, Line line, long time) => Send(crowd, line, WriteStatus(Room, time));

    /// <inheritdoc/>
    public override int Take(Crowd crowd, Line line, ReadOnlySpan<byte> payload)
    {
        if (Notice.TryRead(payload, out var notice))
        {
            crowd.Deliver(line, notice.Publisher, notice.Status, notice.Time);
        }
        else
        {
            crowd.Refuse(payload);
        }

        return payload.Length;
    }

    /// <inheritdoc/>
    public override void TakePong(Crowd crowd, Line line) => crowd.TakeAnswer(line);

    private static void Put(ref Span<byte> rest, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(rest);
        rest = rest[bytes.Length..];
    }
}
