using StatusDaemon.Names;
using StatusDaemon.Statuses;

namespace StatusDaemon.Protocol;

/// <summary>Writes what watchers get: docs/protocol.md §4.</summary>
public static class MessageWriter
{
    /// <summary>No notification is longer: each byte of the UID escaped, and the longest timestamp in quotes.</summary>
    public const int MaxNotificationBytes = 64 + (2 * Uid.MaxBytes) + ClientTimestamp.MaxLength;

    /// <summary>Writes the JSON of a notification.</summary>
    /// <param name="destination">At least <see cref="MaxNotificationBytes"/> long.</param>
    /// <returns>How many bytes were written.</returns>
    public static int Write(in Notification notification, Span<byte> destination)
    {
        var rest = destination;
        Put(ref rest, """{"status":"""u8);
        Put(ref rest, [(byte)('0' + (int)notification.Status)]);
        Put(ref rest, ",\"publisher\":\""u8);
        PutEscaped(ref rest, notification.Publisher.Utf8);
        Put(ref rest, "\""u8);
        var timestamp = notification.Timestamp;
        if (!timestamp.IsNone)
        {
            var quote = timestamp.IsQuoted ? "\""u8 : [];
            Put(ref rest, ",\"timestamp\":"u8);
            Put(ref rest, quote);
            rest = rest[timestamp.CopyTo(rest)..];
            Put(ref rest, quote);
        }

        Put(ref rest, "}"u8);
        return destination.Length - rest.Length;
    }

    /// <summary>A notification as a whole WebSocket frame: built once, shared by every watcher, never to be written to.</summary>
    public static byte[] Frame(in Notification notification)
    {
        Span<byte> json = stackalloc byte[MaxNotificationBytes];
        return ServerFrame.Text(json[..Write(notification, json)]);
    }

    private static void Put(ref Span<byte> rest, scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(rest);
        rest = rest[bytes.Length..];
    }

    // A UID has no control characters, so these two are all that JSON wants escaped.
    private static void PutEscaped(ref Span<byte> rest, ReadOnlySpan<byte> uid)
    {
        for (var at = uid.IndexOfAny("\"\\"u8); at >= 0; at = uid.IndexOfAny("\"\\"u8))
        {
            Put(ref rest, uid[..at]);
            Put(ref rest, [(byte)'\\', uid[at]]);
            uid = uid[(at + 1)..];
        }

        Put(ref rest, uid);
    }
}
