using System.Globalization;

namespace StatusDaemon.Bench;

/// <summary>What routing state costs: bytes of live heap for a subscriber, for its connection and for its watches, and what is resident.</summary>
/// <remarks>
/// 18,000 subscribers and a million, who watch twenty others each, in 32 routers of one process. A watch counts with all that grows with it: the lists of both sides, the counts by gateway, and what a shard
/// keeps of a connection that it knows as watcher only, which is known in 15 shards on average. What of that is for the connection comes out beside as many watches that are in one shard for each connection.
/// The directory, gateways and outboxes are not in it.
/// </remarks>
internal static class RouterMemoryBench
{
    private const int Shards = 32;

    /// <summary>Bytes that a subscriber may take with a million of them, without his UID and texts: docs/scale.md counts on it.</summary>
    private const double SubscriberLimit = 250;

    /// <summary>Bytes that a watch may take, with its verdict.</summary>
    private const double WatchLimit = 16;

    /// <exception cref="ViolationException">A subscriber or a watch takes more than it may.</exception>
    public static Task RunAsync(int people)
    {
        foreach (var size in people > 18_000 ? new[] { 18_000, people } : [people])
        {
            var spread = Build(size, gathered: false);
            var gathered = Build(size, gathered: true);
            Measure.Print("of a watch, for connections in more shards", Bytes(spread.Watch - gathered.Watch));
            if (size >= 1_000_000 && (spread.Subscriber > SubscriberLimit || spread.Watch > WatchLimit)) // fewer fill their chunks less
            {
                throw new ViolationException(string.Create(CultureInfo.InvariantCulture, $"With {size:N0} subscribers one takes more than {SubscriberLimit} bytes, or a watch more than {WatchLimit}."));
            }
        }

        return Task.CompletedTask;
    }

    /// <returns>Bytes of a subscriber, without his UID and texts, and of a watch.</returns>
    private static (double Subscriber, double Watch) Build(int people, bool gathered)
    {
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"  -- {people:N0} subscribers, {RouterCrowd.WatchesEach} watches each, {(gathered ? "all in one shard" : "by lot")}, {Shards} routers"));
        var crowd = new RouterCrowd(people, Shards, gathered);
        var ours = 24L * people; // the arrays of names and texts that the bench has for itself
        var (first, resident) = (Heap(), Environment.WorkingSet);
        crowd.Name();
        var named = Report("UID, in the table of the process", first + (8L * people), people);
        crowd.Introduce();
        var introduced = Report("two texts: who, and through what", named + (16L * people), people);
        crowd.Activate();
        var empty = Heap();
        Measure.Print("routers that know nobody, together", string.Create(CultureInfo.InvariantCulture, $"{(double)(empty - introduced) / 1024,12:N1} KiB"));
        crowd.Connect();
        var connected = Report("connection: lease and register", empty, people);
        crowd.Publish();
        var published = Report("status and its place in the feed", connected, people);
        var subscriber = (double)(published - empty) / people;
        Measure.Print("= a subscriber, without UID and texts", Bytes(subscriber));
        Measure.Print("= a subscriber, all of it", Bytes((double)(published - first - ours) / people));
        var known = crowd.Routers.Sum(router => router.SessionCount);
        crowd.Watch();
        var watched = Report("a watch", published, crowd.Watches);
        var residentNow = Environment.WorkingSet; // before the connections are counted, which takes sets of them
        var knownFor = (double)crowd.Routers.Sum(router => router.SessionCount) / known;
        Measure.Print("shards that know a connection", string.Create(CultureInfo.InvariantCulture, $"{knownFor,12:N1}"));
        Measure.Print("all of it, live", string.Create(CultureInfo.InvariantCulture, $"{(watched - first - ours) / 1e6,12:N0} MB"));
        Measure.Print("resident more than before", string.Create(CultureInfo.InvariantCulture, $"{(residentNow - resident) / 1e6,12:N0} MB, {residentNow / 1e6:N0} in all"));
        GC.KeepAlive(crowd);
        return (subscriber, (double)(watched - published) / crowd.Watches);
    }

    private static long Report(string what, long before, int items)
    {
        var now = Heap();
        Measure.Print(what, Bytes((double)(now - before) / items));
        return now;
    }

    private static string Bytes(double bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes,12:N1} bytes");

    private static long Heap()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return GC.GetTotalMemory(forceFullCollection: true);
    }
}
