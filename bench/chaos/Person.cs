using StatusDaemon.Names;

namespace StatusDaemon.Chaos;

/// <summary>A subscriber of the installation, and what has been said of him.</summary>
/// <remarks>Each status carries its number as timestamp, so that the timestamp is its name; the status follows from it, and is never what the daemon itself sets.</remarks>
internal sealed class Person(string name, Uid uid)
{
    private static readonly int[] Statuses = [1, 2, 4, 5, 6, 7];

    private long said;
    private long accepted;

    /// <summary>The user part of his domain name.</summary>
    public string Name => name;

    /// <summary>His UID.</summary>
    public string UidText { get; } = uid.ToString();

    /// <summary>The last status that was sent or written.</summary>
    public long Said => Volatile.Read(ref said);

    /// <summary>The last one that the daemon is known to have accepted.</summary>
    public long Accepted => Volatile.Read(ref accepted);

    /// <summary>Since when nobody speaks for him, by the run's clock; null while somebody does, or nobody ever has.</summary>
    public TimeSpan? AwaySince { get; set; }

    /// <summary>The status of a number.</summary>
    public static int StatusOf(long number) => Statuses[number % Statuses.Length];

    /// <summary>Takes the next number.</summary>
    public long Say() => Interlocked.Increment(ref said);

    /// <summary>Notes that a number was accepted.</summary>
    public void Accept(long number)
    {
        long seen;
        while ((seen = Accepted) < number && Interlocked.CompareExchange(ref accepted, number, seen) != seen)
        {
        }
    }

    /// <summary>A number as a client says it, and as another program writes it.</summary>
    public static string Json(long number) => $$"""{"status":{{StatusOf(number)}},"timestamp":{{number}}}""";
}
