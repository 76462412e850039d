namespace StatusDaemon.Load;

/// <summary>Publishers that have one publication on the way each: as soon as all watchers of it have it, the next follows.</summary>
internal sealed class Flood
{
    /// <summary>After so long a publication counts as overtaken, and its publisher goes on.</summary>
    private const long Patience = 5_000_000;

    private readonly Crowd crowd;
    private readonly long[] onTheWay;
    private readonly int[] toCome;
    private long last;

    public Flood(Crowd crowd, int publishers)
    {
        this.crowd = crowd;
        onTheWay = new long[Math.Min(publishers, crowd.Community.Count)];
        toCome = new int[onTheWay.Length];
    }

    /// <summary>Lets all publishers begin.</summary>
    public void Begin()
    {
        for (var publisher = 0; publisher < onTheWay.Length; publisher++)
        {
            Next(publisher);
        }
    }

    /// <summary>Takes note of a delivery.</summary>
    public void See(int publisher, long time)
    {
        if (publisher < onTheWay.Length && onTheWay[publisher] == time && --toCome[publisher] == 0)
        {
            Next(publisher);
        }
    }

    /// <summary>Lets publishers go on who wait for what will not come any more.</summary>
    public void Rescue()
    {
        for (var publisher = 0; publisher < onTheWay.Length; publisher++)
        {
            if (onTheWay[publisher] < crowd.Now - Patience)
            {
                Next(publisher);
            }
        }
    }

    private void Next(int publisher)
    {
        if (crowd.Community.WatchersOf(publisher) > 0)
        {
            last = Math.Max(crowd.Now, last + 1);
            onTheWay[publisher] = last;
            toCome[publisher] = crowd.Community.WatchersOf(publisher);
            crowd.Publish(publisher, last);
        }
    }
}
