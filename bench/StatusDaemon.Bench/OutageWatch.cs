namespace StatusDaemon.Bench;

/// <summary>What a client of <see cref="RedisOutageBench"/> is told of one subscriber, and what it must not be told.</summary>
/// <remarks>Each status carries when it was due as its timestamp, so that the timestamp is its name; the status follows from it. One reader writes, others look.</remarks>
/// <param name="person">Whom it is about.</param>
/// <param name="isHidden">Whether the rules hide him from the beginning.</param>
internal sealed class OutageWatch(int person, bool isHidden)
{
    private const int Unknown = 8;

    private long last;
    private long hidAt;
    private int told;

    /// <summary>Whom it is about.</summary>
    public int Person => person;

    /// <summary>Whether the rules hide him from the beginning.</summary>
    public bool IsHidden => isHidden;

    /// <summary>When a rule was written that hides him from then on; 0 if there is none.</summary>
    public long HideWrittenAt { get; set; }

    /// <summary>When UNKNOWN came of that rule; 0 before.</summary>
    public long HidAt => Volatile.Read(ref hidAt);

    /// <summary>The timestamp of the last status; 0 before the first.</summary>
    public long Last => Volatile.Read(ref last);

    /// <summary>Whether anything was told.</summary>
    public bool IsTold => Volatile.Read(ref told) > 0;

    /// <summary>Statuses that came twice.</summary>
    public int Repeated { get; private set; }

    /// <summary>All that came: the timestamp, and when.</summary>
    public List<(long At, long Received)> Statuses { get; } = [];

    /// <summary>The status of a timestamp: 1 to 7.</summary>
    public static int StatusAt(long at) => (int)(1 + (at % 7));

    /// <summary>Takes a notification.</summary>
    /// <param name="at">Its timestamp; 0 if it has none.</param>
    /// <returns>What is wrong with it; null if nothing is.</returns>
    public string? Take(int status, long at, long now)
    {
        var isFirst = told == 0;
        Volatile.Write(ref told, told + 1);
        if (isHidden || hidAt > 0)
        {
            return isHidden && isFirst && (status, at) == (Unknown, 0) ? null : $"was told of {person}, who is hidden: status {status} at {at}";
        }

        if (at == 0)
        {
            if (HideWrittenAt > 0 && status == Unknown)
            {
                Volatile.Write(ref hidAt, now);
                return null;
            }

            return isFirst && status == Unknown ? null : $"was told of {person} a status {status} that nobody set, after {last}";
        }

        if (status != StatusAt(at))
        {
            return $"was told of {person} what was never said: status {status} at {at}";
        }

        if (at < last)
        {
            return $"was told of {person} as it was at {at}, after {last}";
        }

        if (at == last)
        {
            Repeated++;
            return null;
        }

        Statuses.Add((at, now));
        Volatile.Write(ref last, at);
        return null;
    }
}
