using System.Text.Json;

namespace StatusDaemon.Load;

/// <summary>A status as it arrives.</summary>
internal readonly ref struct Notice
{
    private const int TimeDigits = 17; // ten of seconds, a dot, six of microseconds

    /// <summary>1 to 8.</summary>
    public int Status { get; private init; }

    /// <summary>Empty where the dialect says it elsewhere.</summary>
    public ReadOnlySpan<byte> Publisher { get; private init; }

    /// <summary>The timestamp in microseconds; 0 where there is none.</summary>
    public long Time { get; private init; }

    /// <summary>Reads the JSON of a notification.</summary>
    /// <returns>False for anything else.</returns>
    public static bool TryRead(ReadOnlySpan<byte> json, out Notice notice) => TryReadUsual(json, out notice) || TryReadAny(json, out notice);

    /// <summary>The spelling of our own server, at a fraction of the cost.</summary>
    private static bool TryReadUsual(ReadOnlySpan<byte> json, out Notice notice)
    {
        var start = "{\"status\":"u8;
        var middle = ",\"publisher\":\""u8;
        var before = "\",\"timestamp\":\""u8;
        var uid = start.Length + 1 + middle.Length;
        var time = uid + Community.UidBytes + before.Length;
        if (json.Length == time + TimeDigits + 2
            && json.StartsWith(start)
            && json[(start.Length + 1)..].StartsWith(middle)
            && json[(uid + Community.UidBytes)..].StartsWith(before)
            && json.EndsWith("\"}"u8)
            && TryReadTime(json.Slice(time, TimeDigits), out var microseconds))
        {
            notice = new Notice { Status = json[start.Length] - '0', Publisher = json.Slice(uid, Community.UidBytes), Time = microseconds };
            return true;
        }

        notice = default;
        return false;
    }

    private static bool TryReadAny(ReadOnlySpan<byte> json, out Notice notice)
    {
        notice = default;
        var reader = new Utf8JsonReader(json);
        int? status = null;
        ReadOnlySpan<byte> publisher = [];
        long time = 0;
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("status"u8))
                {
                    reader.Read();
                    status = reader.GetInt32();
                }
                else if (reader.ValueTextEquals("publisher"u8))
                {
                    reader.Read();
                    publisher = reader.ValueSpan;
                }
                else if (reader.ValueTextEquals("timestamp"u8))
                {
                    reader.Read();
                    if (!TryReadTime(reader.ValueSpan, out time))
                    {
                        return false;
                    }
                }
                else
                {
                    reader.Skip();
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return false;
        }

        notice = new Notice { Status = status ?? 0, Publisher = publisher, Time = time };
        return status is >= 1 and <= 8;
    }

    private static bool TryReadTime(ReadOnlySpan<byte> text, out long microseconds)
    {
        microseconds = 0;
        if (text.Length != TimeDigits || text[10] != '.')
        {
            return false;
        }

        for (var at = 0; at < TimeDigits; at++)
        {
            if (at == 10)
            {
                continue;
            }

            if (!char.IsAsciiDigit((char)text[at]))
            {
                return false;
            }

            microseconds = (microseconds * 10) + (text[at] - '0');
        }

        return true;
    }
}
