using StatusDaemon.Names;

namespace StatusDaemon.Gateway;

/// <summary>How many connections each subscriber has at this gateway; logins on any thread ask.</summary>
internal sealed class ConnectionCounts(int limit)
{
    private readonly Lock gate = new();
    private readonly Dictionary<Uid, int> counts = new(Uid.Comparer);

    /// <summary>Counts one more, until the place is given back.</summary>
    /// <returns>Null if the subscriber has as many as one may have.</returns>
    public Place? Enter(Uid subscriber)
    {
        lock (gate)
        {
            var count = counts.GetValueOrDefault(subscriber);
            if (count >= limit)
            {
                return null;
            }

            counts[subscriber] = count + 1;
            return new Place(this, subscriber);
        }
    }

    private void Leave(Uid subscriber)
    {
        lock (gate)
        {
            if (--counts[subscriber] == 0)
            {
                counts.Remove(subscriber);
            }
        }
    }

    /// <summary>One connection's place; giving it back twice counts once.</summary>
    internal sealed class Place(ConnectionCounts counts, Uid subscriber) : IDisposable
    {
        private int isLeft;

        /// <inheritdoc/>
        public void Dispose()
        {
            if (Interlocked.Exchange(ref isLeft, 1) == 0)
            {
                counts.Leave(subscriber);
            }
        }
    }
}
