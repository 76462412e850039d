using StatusDaemon.Names;

namespace StatusDaemon.Bench;

/// <summary>Subscribers whose UIDs look as UUIDs do, and are the same in each run.</summary>
internal static class BenchUids
{
    public static Uid Of(int number) =>
        Uid.TryParse(new Guid(number * 48271, (short)number, 7, 1, 2, 3, 4, 5, 6, 7, 8).ToString(), out var uid)
            ? uid
            : throw new InvalidOperationException("A UUID is a UID.");
}
