using System.Globalization;

namespace StatusDaemon.Settings;

/// <summary>Durations and sizes as people write them: <c>200ms</c>, <c>30s</c>, <c>5m</c>, <c>1h</c>, <c>256KiB</c>.</summary>
internal static class Quantity
{
    private static readonly (string Unit, long Size)[] Times =
        [("ms", TimeSpan.TicksPerMillisecond), ("s", TimeSpan.TicksPerSecond), ("m", TimeSpan.TicksPerMinute), ("h", TimeSpan.TicksPerHour)];

    private static readonly (string Unit, long Size)[] Sizes =
        [("", 1), ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30)];

    /// <summary>Reads a duration; a number without a unit is none, since nobody could tell seconds from milliseconds.</summary>
    public static bool TryParseTime(string text, out TimeSpan time)
    {
        var good = TryParse(text, Times, out var ticks);
        time = new TimeSpan(ticks);
        return good;
    }

    /// <summary>Reads a size in bytes.</summary>
    public static bool TryParseSize(string text, out long bytes) => TryParse(text, Sizes, out bytes);

    /// <summary>Writes a duration in the largest unit that needs no fraction.</summary>
    public static string Format(TimeSpan time) => Format(time.Ticks, Times);

    /// <summary>Writes a size in the largest unit that needs no fraction.</summary>
    public static string Format(long bytes) => Format(bytes, Sizes);

    private static bool TryParse(string text, (string Unit, long Size)[] units, out long value)
    {
        value = 0;
        var digits = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        digits = digits < 0 ? text.Length : digits;
        foreach (var (unit, size) in units)
        {
            if (text.AsSpan(digits).TrimStart(' ').Equals(unit, StringComparison.OrdinalIgnoreCase)
                && long.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var count)
                && count <= long.MaxValue / size)
            {
                value = count * size;
                return true;
            }
        }

        return false;
    }

    private static string Format(long value, (string Unit, long Size)[] units)
    {
        var (unit, size) = units.Last(unit => value % unit.Size == 0 && (value != 0 || unit.Unit is "s" or ""));
        return string.Create(CultureInfo.InvariantCulture, $"{value / size}{unit}");
    }
}
