using System.Globalization;
using System.Text.Json;

namespace StatusDaemon.Imitation;

/// <summary>Unix time as the attribute <c>timestamp</c> carries it: seconds, with a fraction, as a string or a number.</summary>
internal static class UnixTimestamp
{
    /// <summary>Writes a time with microseconds.</summary>
    public static string Of(DateTimeOffset time)
    {
        var ticks = (time - DateTimeOffset.UnixEpoch).Ticks;
        return string.Create(CultureInfo.InvariantCulture, $"{ticks / TimeSpan.TicksPerSecond}.{ticks % TimeSpan.TicksPerSecond / TimeSpan.TicksPerMicrosecond:D6}");
    }

    /// <summary>How long ago it was, in milliseconds to the microsecond; negative where the publisher's clock is ahead.</summary>
    /// <returns>Null where there is no timestamp, or none that is a time.</returns>
    public static double? MillisecondsSince(JsonElement? timestamp, DateTimeOffset now)
    {
        if (Characters(timestamp) is { } text && decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds))
        {
            var unixNow = (decimal)(now - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerSecond;
            return (double)decimal.Round((unixNow - seconds) * 1000, 3);
        }

        return null;
    }

    /// <summary>The characters of a timestamp as they came.</summary>
    public static string? Characters(JsonElement? timestamp) => timestamp switch
    {
        { ValueKind: JsonValueKind.String } text => text.GetString(),
        { ValueKind: JsonValueKind.Number } number => number.GetRawText(),
        _ => null,
    };
}
