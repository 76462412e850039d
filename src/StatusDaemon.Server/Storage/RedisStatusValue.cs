using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using StatusDaemon.Names;
using StatusDaemon.Protocol;
using StatusDaemon.Statuses;

namespace StatusDaemon.Storage;

/// <summary>A status as the value of its key: what the daemon writes, and what other programs may write (docs/operations.md, "Redis").</summary>
/// <remarks>
/// Ours is the notification that watchers get, with <c>v</c>, <c>source</c> and a checksum behind it. The checksum tells a value that a daemon wrote from one
/// that another program has changed or put together, whose <c>v</c> may be copied and means nothing.
/// </remarks>
internal static class RedisStatusValue
{
    /// <summary>Longest value that is looked at; anything longer is none.</summary>
    public const int MaxBytes = 8 * 1024;

    private const string Check = ",\"check\":\"";
    private const int CheckBytes = 10 + 16 + 2; // with the digits, the quote and the brace

    private static readonly string[] Kinds = ["", "client", "external", "administrator", "peer", "offline"];
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What tells values apart: the first half of SHA-1, which Redis' scripts have too. Never 0, which stands for no value.</summary>
    [SuppressMessage("Security", "CA5350", Justification = "It guards against mistakes, and scripts in Redis know no other hash.")]
    public static UInt128 DigestOf(ReadOnlySpan<byte> value)
    {
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        SHA1.HashData(value, hash);
        return BinaryPrimitives.ReadUInt128BigEndian(hash);
    }

    /// <summary>Writes a status as ours.</summary>
    public static byte[] Format(Uid uid, in StatusRecord record)
    {
        Span<byte> notification = stackalloc byte[MessageWriter.MaxNotificationBytes];
        var length = MessageWriter.Write(new Notification(record.Status, uid, record.Timestamp), notification);
        var value = new ArrayBufferWriter<byte>(512);
        value.Write(notification[..(length - 1)]);
        value.Write(Encoding.ASCII.GetBytes($",\"v\":\"{record.Version}\",\"source\":"));
        using (var json = new Utf8JsonWriter(value, Readable))
        {
            json.WriteStartObject();
            json.WriteString("kind", Kinds[(int)record.Source.Kind]);
            json.WriteString("actor", record.Source.Actor);
            json.WriteString("through", record.Source.Through);
            json.WriteString("at", record.Source.At.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
            json.WriteEndObject();
        }

        value.Write(Encoding.ASCII.GetBytes($"{Check}{XxHash3.HashToUInt64(value.WrittenSpan):x16}\"}}"));
        return value.WrittenSpan.ToArray();
    }

    /// <summary>Reads a value that a daemon wrote for this subscriber.</summary>
    /// <returns>False if another hand was in it.</returns>
    public static bool TryReadOwn(Uid uid, ReadOnlySpan<byte> value, out StatusRecord record)
    {
        record = default;
        try
        {
            return HasCheck(value) && MessageOf(uid, value, out _) is { } message && TryReadRest(value, message, out record);
        }
        catch (InvalidOperationException)
        {
            record = default; // half a character is escaped in it, with a checksum that somebody put right
            return false;
        }
    }

    /// <summary>Reads a value that another program wrote: a number 1 to 8, or the JSON of a status.</summary>
    /// <param name="problem">In words, what is wrong; empty on success.</param>
    public static bool TryReadForeign(Uid uid, ReadOnlySpan<byte> value, out Status status, out ClientTimestamp timestamp, out string problem)
    {
        timestamp = default;
        var text = value.Trim(" \t\r\n"u8);
        if (text is [>= (byte)'1' and <= (byte)'8'])
        {
            status = (Status)(text[0] - '0');
            problem = "";
            return true;
        }

        status = default;
        if (text is not [(byte)'{', ..])
        {
            problem = "neither a number 1 to 8 nor a JSON object";
            return false;
        }

        if (MessageOf(uid, text, out problem) is not { } message)
        {
            return false;
        }

        (status, timestamp) = (message.Status!.Value, message.Timestamp);
        return true;
    }

    private static ClientMessage? MessageOf(Uid uid, ReadOnlySpan<byte> json, out string problem)
    {
        var message = new ClientMessage();
        problem = json.Length > MaxBytes ? $"longer than {MaxBytes} bytes"
            : !MessageReader.TryRead(json, message, out var refusal) ? refusal.Detail
            : !message.MayComeFrom(uid.Utf8) ? "publisher: not the UID of the key"
            : message.Status is null ? "it has no status"
            : "";
        return problem.Length == 0 ? message : null;
    }

    private static bool HasCheck(ReadOnlySpan<byte> value)
    {
        if (value.Length <= CheckBytes || value.Length > MaxBytes)
        {
            return false;
        }

        Span<byte> check = stackalloc byte[CheckBytes];
        Encoding.ASCII.GetBytes($"{Check}{XxHash3.HashToUInt64(value[..^CheckBytes]):x16}\"}}", check);
        return value.EndsWith(check);
    }

    private static bool TryReadRest(ReadOnlySpan<byte> value, ClientMessage message, out StatusRecord record)
    {
        record = default;
        var version = default(StatusVersion);
        ChangeSource? source = null;
        var reader = new Utf8JsonReader(value);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("v"u8))
            {
                reader.Read();
                if (reader.TokenType != JsonTokenType.String || !StatusVersion.TryParse(reader.GetString(), out version))
                {
                    return false;
                }
            }
            else if (reader.ValueTextEquals("source"u8))
            {
                reader.Read();
                source = reader.TokenType == JsonTokenType.StartObject ? ReadSource(ref reader) : null;
                reader.Skip();
            }
            else
            {
                reader.Skip();
            }
        }

        if (version.IsNone || version.Epoch < 1 || version.Seq < 1 || source is not { } found)
        {
            return false;
        }

        record = new StatusRecord(message.Status!.Value, message.Timestamp, version, found);
        return true;
    }

    private static ChangeSource? ReadSource(ref Utf8JsonReader reader)
    {
        string? kind = null, actor = null, through = null, at = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString();
            reader.Read();
            var text = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
            reader.Skip();
            (kind, actor, through, at) = name switch
            {
                "kind" => (text, actor, through, at),
                "actor" => (kind, text, through, at),
                "through" => (kind, actor, text, at),
                "at" => (kind, actor, through, text),
                _ => (kind, actor, through, at),
            };
        }

        var number = kind is null ? -1 : Array.IndexOf(Kinds, kind);
        return number >= 1 && actor is not null && through is not null
            && DateTimeOffset.TryParseExact(at, "O", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? new ChangeSource((SourceKind)number, actor, through, time)
            : null;
    }
}
