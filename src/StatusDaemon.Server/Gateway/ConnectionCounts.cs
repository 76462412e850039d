using StatusDaemon.Names;

namespace StatusDaemon.Gateway;

/// <summary>How many connections each subscriber has at this gateway; logins on any thread ask.</summary>
internal sealed class ConnectionCounts(int limit)
{
    private readonly Lock gate = new();
    private readonly Dictionary<Uid, int> counts = new(Uid.Comparer);
    private long changes;

    /// <summary>Connections that came or went since the start.</summary>
    public long Changes => Interlocked.Read(ref changes);

    /// <summary>Counts one more.</summary>
    /// <returns>False if the subscriber has as many as one may have.</returns>
    public bool TryEnter(Uid subscriber)
    {
        lock (gate)
        {
            var count = counts.GetValueOrDefault(subscriber);
            if (count >= limit)
            {
                return false;
            }

            changes++;
            counts[subscriber] = count + 1;
            return true;
        }
    }

    /// <summary>Counts one less.</summary>
    public void Leave(Uid subscriber)
    {
        lock (gate)
        {
            changes++;
            if (--counts[subscriber] == 0)
            {
                counts.Remove(subscriber);
            }
        }
    }
}
