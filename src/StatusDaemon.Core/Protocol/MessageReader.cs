using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Unicode;
using StatusDaemon.Names;
using StatusDaemon.Statuses;

namespace StatusDaemon.Protocol;

/// <summary>Reads the messages of clients: docs/protocol.md §3.</summary>
public static class MessageReader
{
    /// <summary>Deepest nesting, the message itself being the first level; deeper is <c>bad-json</c>.</summary>
    public const int MaxDepth = 32;

    /// <summary>A byte of text takes at most six as a JSON escape: <c>\u0041</c>.</summary>
    private const int BytesPerEscape = 6;

    private static readonly JsonReaderOptions Strict = new() { MaxDepth = MaxDepth };

    /// <summary>Takes a message whole or refuses it whole.</summary>
    /// <param name="utf8">Any bytes; what is not UTF-8 is not JSON.</param>
    /// <param name="into">Holds the message on success and is empty otherwise.</param>
    /// <param name="refusal">On failure: the answer. What is not JSON is <c>bad-json</c> even if something before the fault broke another rule; of several broken rules the first counts.</param>
    public static bool TryRead(ReadOnlySpan<byte> utf8, ClientMessage into, [NotNullWhen(false)] out ErrorMessage? refusal)
    {
        into.Clear();
        try
        {
            refusal = Read(utf8, into);
        }
        catch (JsonException)
        {
            refusal = ErrorMessage.NotJson;
        }

        if (refusal is not null)
        {
            into.Clear();
        }

        return refusal is null;
    }

    private static ErrorMessage? Read(ReadOnlySpan<byte> utf8, ClientMessage into)
    {
        if (!Utf8.IsValid(utf8) || HasLoneSurrogate(utf8))
        {
            return ErrorMessage.NotJson;
        }

        var reader = new Utf8JsonReader(utf8, Strict);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return ErrorMessage.NotJson;
        }

        ErrorMessage? refusal = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            refusal ??= ReadAttribute(ref reader, into);
            reader.Skip();
        }

        // Past the end of the object, so that the reader complains of whatever follows it.
        reader.Read();
        return refusal;
    }

    // Leaves the reader at the attribute's name or at its value's first or last token: Skip goes on to the last from each of them.
    private static ErrorMessage? ReadAttribute(ref Utf8JsonReader reader, ClientMessage into)
    {
        var room = into.Attributes.Reserve(reader.ValueSpan.Length);
        var name = room[..reader.CopyString(room)];
        if (!into.Attributes.TryAdd(name.Length))
        {
            return ErrorMessage.RepeatedAttribute;
        }

        if (name.SequenceEqual("status"u8))
        {
            reader.Read();
            return ReadStatus(ref reader, into);
        }

        if (name.SequenceEqual("events"u8))
        {
            reader.Read();
            return ReadEvents(ref reader, into);
        }

        if (name.SequenceEqual("timestamp"u8))
        {
            reader.Read();
            return ReadTimestamp(ref reader, into);
        }

        if (name.SequenceEqual("publisher"u8))
        {
            reader.Read();
            return ReadPublisher(ref reader, into);
        }

        return null;
    }

    private static ErrorMessage? ReadStatus(ref Utf8JsonReader reader, ClientMessage into)
    {
        if (reader.TokenType != JsonTokenType.Number || reader.ValueSpan.IndexOfAny(".eE"u8) >= 0)
        {
            return ErrorMessage.StatusNotInteger;
        }

        if (reader.ValueSpan is not [>= (byte)'1' and <= (byte)'8'])
        {
            return ErrorMessage.UnknownStatus;
        }

        into.Status = (Status)(reader.ValueSpan[0] - '0');
        return null;
    }

    private static ErrorMessage? ReadEvents(ref Utf8JsonReader reader, ClientMessage into)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return ErrorMessage.EventsNotObject;
        }

        ErrorMessage? refusal = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            refusal ??= ReadEvent(ref reader, into);
            reader.Skip();
        }

        return refusal;
    }

    private static ErrorMessage? ReadEvent(ref Utf8JsonReader reader, ClientMessage into)
    {
        var room = into.Events.Reserve(reader.ValueSpan.Length);
        var uid = room[..reader.CopyString(room)];
        if (!Uid.IsValid(uid))
        {
            return ErrorMessage.EventOfNoUid;
        }

        if (!into.Events.TryAdd(uid.Length))
        {
            return ErrorMessage.RepeatedUid;
        }

        reader.Read();
        if (reader.TokenType != JsonTokenType.Number)
        {
            return ErrorMessage.UnknownOperation;
        }

        switch (reader.ValueSpan)
        {
            case [(byte)'9']:
                into.Events.FlagLast();
                return null;
            case [(byte)'1', (byte)'0']:
                return null;
            default:
                return ErrorMessage.UnknownOperation;
        }
    }

    private static ErrorMessage? ReadTimestamp(ref Utf8JsonReader reader, ClientMessage into)
    {
        Span<byte> scratch = stackalloc byte[BytesPerEscape * ClientTimestamp.MaxLength];
        var quoted = reader.TokenType == JsonTokenType.String;
        if (!(quoted || reader.TokenType == JsonTokenType.Number) || reader.ValueSpan.Length > scratch.Length)
        {
            return ErrorMessage.BadTimestamp;
        }

        var number = quoted ? scratch[..reader.CopyString(scratch)] : reader.ValueSpan;
        if (!ClientTimestamp.TryParse(number, quoted, out var timestamp))
        {
            return ErrorMessage.BadTimestamp;
        }

        into.Timestamp = timestamp;
        return null;
    }

    private static ErrorMessage? ReadPublisher(ref Utf8JsonReader reader, ClientMessage into)
    {
        Span<byte> scratch = stackalloc byte[BytesPerEscape * Uid.MaxBytes];
        if (reader.TokenType != JsonTokenType.String || reader.ValueSpan.Length > scratch.Length)
        {
            return ErrorMessage.BadPublisher;
        }

        var uid = scratch[..reader.CopyString(scratch)];
        if (!Uid.IsValid(uid))
        {
            return ErrorMessage.BadPublisher;
        }

        into.SetPublisher(uid);
        return null;
    }

    /// <summary>Whether half a character is escaped somewhere. The JSON reader would find it only in what is copied, and throw.</summary>
    /// <remarks>Backslashes outside of strings, and escapes that are none, are left to the JSON reader.</remarks>
    private static bool HasLoneSurrogate(ReadOnlySpan<byte> json)
    {
        for (var at = json.IndexOf((byte)'\\'); at >= 0;)
        {
            var length = 2;
            if (TryReadEscape(json[at..], out var unit) && char.IsSurrogate(unit))
            {
                length = 2 * BytesPerEscape;
                if (!char.IsHighSurrogate(unit) || !TryReadEscape(json[(at + BytesPerEscape)..], out var second) || !char.IsLowSurrogate(second))
                {
                    return true;
                }
            }

            var next = at + length < json.Length ? json[(at + length)..].IndexOf((byte)'\\') : -1;
            at = next < 0 ? -1 : at + length + next;
        }

        return false;
    }

    private static bool TryReadEscape(ReadOnlySpan<byte> json, out char unit)
    {
        Span<byte> bytes = stackalloc byte[2];
        var good = json.Length >= BytesPerEscape && json is [(byte)'\\', (byte)'u', ..]
            && Convert.FromHexString(json.Slice(2, 4), bytes, out _, out _) == System.Buffers.OperationStatus.Done;
        unit = good ? (char)BinaryPrimitives.ReadUInt16BigEndian(bytes) : default;
        return good;
    }
}
