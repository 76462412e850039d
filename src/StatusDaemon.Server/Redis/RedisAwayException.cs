namespace StatusDaemon.Redis;

/// <summary>A Redis cannot do what was asked, now: it is not there, or refuses. The message says which, why, and what to do.</summary>
/// <param name="isRefusal">Whether it is there and refuses us: that does not pass by waiting.</param>
internal sealed class RedisAwayException(string message, bool isRefusal, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether it is there and refuses us: that does not pass by waiting.</summary>
    public bool IsRefusal { get; } = isRefusal;

    /// <summary>The database has lost what was written to it, and is to be caught up with first.</summary>
    public static RedisAwayException Lost() => new("The database was lost.", isRefusal: false);

    /// <summary>The connection was interrupted, and it is found out what came of that.</summary>
    public static RedisAwayException Interrupted() => new("Redis was away for a moment.", isRefusal: false) { IsInterruption = true };

    /// <summary>Whether it is over in a moment, or turns out to be something else.</summary>
    public bool IsInterruption { get; private init; }
}
