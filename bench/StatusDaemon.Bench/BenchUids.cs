using StatusDaemon.Names;

namespace StatusDaemon.Bench;

/// <summary>Subscribers whose UIDs look as UUIDs do, and are the same in each run.</summary>
internal static class BenchUids
{
    public static Uid Of(int number) => Parse(new Guid(number * 48271, (short)number, 7, 1, 2, 3, 4, 5, 6, 7, 8).ToString());

    public static Uid Parse(string text) => Uid.TryParse(text, out var uid) ? uid : throw new InvalidOperationException($"{text} is no UID.");
}
