namespace StatusDaemon.Load;

/// <summary>What a scenario does once everybody is connected.</summary>
internal enum LoadKind
{
    /// <summary>Nothing: connections are held.</summary>
    Idle,

    /// <summary>Each publisher has one publication on the way, and publishes again when all its watchers have it.</summary>
    Flood,

    /// <summary>Publications come at a fixed rate, whatever becomes of them.</summary>
    Rate,
}

/// <summary>One way to load a server.</summary>
/// <param name="First">Connections that are there before anything is counted, so that what a server needs once is not charged to connections.</param>
/// <param name="Watches">How many others each watches; those are drawn by lot, the same in each run.</param>
/// <param name="IsStar">Everybody watches the first one alone.</param>
/// <param name="Publishers">How many of the first publish in a flood.</param>
/// <param name="Rate">Publications a second.</param>
/// <param name="WarmUp">Load before the measured time.</param>
/// <param name="Duration">The measured time; how long connections are held where there is no load.</param>
internal sealed record Scenario(
    string Name, LoadKind Kind, int Connections, int Watches, int First, bool IsStar, int Publishers, double Rate, double WarmUp, double Duration)
{
    /// <summary>The scenarios of docs/performance.md.</summary>
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("s1", LoadKind.Idle, 18_000, 20, 500, IsStar: false, 0, 0, 0, 5),
        new("s2", LoadKind.Flood, 2_000, 100, 0, IsStar: false, 64, 0, 3, 5),
        new("s3", LoadKind.Rate, 10_000, 50, 0, IsStar: false, 0, 200, 3, 8),
        new("s4", LoadKind.Flood, 10_001, 1, 0, IsStar: true, 1, 0, 2, 5),
        new("s5", LoadKind.Idle, 10_200, 20, 200, IsStar: false, 0, 0, 0, 0),
        new("s6", LoadKind.Rate, 2_000, 1, 0, IsStar: false, 0, 5_000, 3, 8),
    ];

    /// <summary>What it is about, for people.</summary>
    public string About => Name switch
    {
        "s1" => "idle connections: memory of each",
        "s2" => "flood: many publishers, each with one publication on the way",
        "s3" => "fixed rate: latency and CPU",
        "s4" => "star: one publisher, watched by all",
        "s6" => "fixed rate, one watcher each: the way through the shards",
        _ => "connects",
    };

    /// <summary>The part of it that one of several processes plays; each part is a world of its own, whose people watch each other.</summary>
    public Scenario Part(int part, int parts)
    {
        var share = (int all) => (all / parts) + (part < all % parts ? 1 : 0);
        return this with
        {
            Connections = share(Connections),
            First = share(First),
            Publishers = Math.Max(1, share(Publishers)),
            Rate = Rate / parts,
        };
    }
}
