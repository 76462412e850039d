using StatusDaemon.Names;

namespace StatusDaemon.Storage;

/// <summary>Until when those keys live that another program gave a time to live: what a server has lost is written again with what is left of it. One caller at a time.</summary>
/// <param name="uids">Shared by everything in the process.</param>
internal sealed class TimesToLive(UidTable uids, TimeProvider clock)
{
    private readonly Dictionary<Uid, (TimeSpan Left, long At)> keys = new(Uid.Comparer);

    /// <summary>Notes what a key has left now.</summary>
    /// <param name="left">Null if it lives until it is deleted.</param>
    public void Note(Uid uid, TimeSpan? left)
    {
        Forget(uid);
        if (left is { } time)
        {
            keys.Add(uids.Hold(uid), (time, clock.GetTimestamp()));
        }
    }

    /// <summary>What a key has left now, zero or less where that is over; null if it lives until it is deleted.</summary>
    public TimeSpan? LeftOf(Uid uid) => keys.TryGetValue(uid, out var noted) ? noted.Left - clock.GetElapsedTime(noted.At) : null;

    /// <summary>Forgets a key.</summary>
    public void Forget(Uid uid)
    {
        if (keys.Remove(uid))
        {
            uids.Release(uid);
        }
    }

    /// <summary>Forgets the keys of some subscribers.</summary>
    public void Forget(Func<Uid, bool> ofWhom)
    {
        foreach (var uid in keys.Keys.Where(ofWhom).ToArray())
        {
            Forget(uid);
        }
    }
}

/// <summary>How long a key is to live that is written.</summary>
/// <param name="IsKept">As long as the value that it replaces.</param>
/// <param name="Left">So long; null: until it is deleted, unless <paramref name="IsKept"/>.</param>
/// <param name="IsAsked">Until it is deleted, and what the value that it replaces had left is to be told.</param>
internal readonly record struct TimeToLive(bool IsKept = false, TimeSpan? Left = null, bool IsAsked = false)
{
    /// <summary>As the script takes it: whole milliseconds, one at least.</summary>
    public string Argument => IsKept ? "keep" : IsAsked ? "ask" : Left is { } left ? Math.Max(1, (long)left.TotalMilliseconds).ToString(System.Globalization.CultureInfo.InvariantCulture) : "";
}
