using System.Globalization;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;

namespace StatusDaemon.Bench;

/// <summary>What the core keeps of a subscriber, of its connection and of its watches: bytes of live heap, without the UIDs, which the whole process shares.</summary>
/// <remarks>
/// Twice: 18,000 subscribers who watch twenty others each, in 32 routers as <c>statusd up</c> has them, and a million of them in one router. Everybody has a
/// connection, and the strings of its lease are shared, so that what counts is the router's own. A watch counts with what its router keeps of the connection for it.
/// </remarks>
internal static class RouterMemoryBench
{
    private const int WatchesEach = 20;
    private const int Gateways = 2;
    private static readonly Moment Now = new(DateTimeOffset.UnixEpoch, TimeSpan.Zero);

    public static Task RunAsync()
    {
        Build(18_000, 32);
        Build(1_000_000, 1);
        return Task.CompletedTask;
    }

    private static void Build(int people, int shards)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  -- {people:N0} subscribers, {WatchesEach} watches each, routers: {shards}"));
        var uids = new UidTable();
        Uid[] names = [.. Enumerable.Range(0, people).Select(number => uids.Hold(BenchUids.Of(number)))];
        var effects = new List<Effect>();
        Router[] routers = [.. Enumerable.Range(0, shards).Select(_ => Empty(uids, effects))];
        var empty = Heap();

        for (var number = 0; number < people; number++)
        {
            Apply(names[number], new RouterInput.Open(Connection(number), names[number], "somebody", "somewhere"));
        }

        var connected = Report("a connection of a subscriber", empty, people);

        var random = new Random(1);
        for (var number = 0; number < people; number++)
        {
            for (var i = 0; i < WatchesEach; i++)
            {
                var watched = names[random.Next(people)];
                Apply(watched, new RouterInput.Watch(Connection(number), names[number], watched, (uint)i));
            }
        }

        var watching = Report("a watch", connected, people * WatchesEach);

        for (var number = 0; number < people; number++)
        {
            Apply(names[number], new RouterInput.Publish(Connection(number), names[number], Status.Busy, default));
        }

        Report("a status", watching, people);
        Report("all of it for a subscriber", empty, people);
        GC.KeepAlive(routers);
        GC.KeepAlive(names);

        void Apply(Uid owner, RouterInput input)
        {
            effects.Clear();
            routers[owner.ShardOf(shards)].Apply(input, Now, effects);
        }
    }

    private static Router Empty(UidTable uids, List<Effect> effects)
    {
        var policy = new DirectoryPolicy { AcceptsUnknown = true, AdmitsUnknown = true };
        var router = new Router(new RouterSettings(), uids, new DirectorySnapshot([], policy), incarnation: 1, epoch: 1, Now);
        router.Apply(new RouterInput.AllRead([]), Now, effects);
        for (var gateway = 0; gateway < Gateways; gateway++)
        {
            router.Apply(new RouterInput.Declare(GatewayOf(gateway)), Now, effects);
        }

        return router;
    }

    private static ConnectionId Connection(int number) => new(GatewayOf(number), 1 + number);

    private static GatewayId GatewayOf(int number) => new(1 + (ulong)(number % Gateways));

    private static long Report(string what, long before, int items)
    {
        var now = Heap();
        Measure.Print(what, string.Create(CultureInfo.InvariantCulture, $"{(double)(now - before) / items,12:N1} bytes"));
        return now;
    }

    private static long Heap() => GC.GetTotalMemory(forceFullCollection: true);
}
