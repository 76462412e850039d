namespace StatusDaemon.Redis;

/// <summary>What keys that rang speak of and nobody has looked at yet, each once, the longest waiting first. Any thread may ring; one takes, and says when it has looked.</summary>
/// <param name="capacity">Most that wait. What rings above it is dropped, and <see cref="HasOverflown"/> tells that everything must be looked at.</param>
/// <param name="comparer">What counts as the same; null for the default.</param>
internal sealed class RungKeys<T>(int capacity, IEqualityComparer<T>? comparer = null)
    where T : notnull
{
    private readonly Lock gate = new();
    private readonly Dictionary<T, long> rings = new(comparer);
    private Queue<T> order = new();
    private List<Ring<T>> inHand = [];
    private TaskCompletionSource rung = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool hasOverflown;

    /// <summary>Keys that wait, without those in hand.</summary>
    public int Count
    {
        get
        {
            lock (gate)
            {
                return rings.Count;
            }
        }
    }

    /// <summary>When the one first rang that waits longest or is in hand; null while there is none.</summary>
    public long? OldestAt
    {
        get
        {
            lock (gate)
            {
                return inHand.Count > 0 ? inHand[0].At : order.TryPeek(out var oldest) ? rings[oldest] : null;
            }
        }
    }

    /// <summary>Ends when something has rung.</summary>
    public Task Rung
    {
        get
        {
            lock (gate)
            {
                return rung.Task;
            }
        }
    }

    /// <summary>Notes that a key rang; one that waits already keeps its place and time.</summary>
    /// <param name="at">By <see cref="TimeProvider.GetTimestamp"/>.</param>
    public void Add(T key, long at)
    {
        lock (gate)
        {
            if (rings.ContainsKey(key))
            {
                return;
            }

            if (rings.Count == capacity)
            {
                hasOverflown = true;
                return;
            }

            rings.Add(key, at);
            order.Enqueue(key);
            rung.TrySetResult();
        }
    }

    /// <summary>Takes the longest waiting: they are in hand until <see cref="Done"/> or <see cref="PutBack"/>.</summary>
    public IReadOnlyList<Ring<T>> Take(int max)
    {
        lock (gate)
        {
            var taken = new List<Ring<T>>(Math.Min(max, order.Count));
            while (taken.Count < max && order.TryDequeue(out var key))
            {
                rings.Remove(key, out var at);
                taken.Add(new Ring<T>(key, at));
            }

            inHand = taken;
            if (order.Count == 0 && rung.Task.IsCompleted)
            {
                rung = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            return taken;
        }
    }

    /// <summary>What is in hand was looked at.</summary>
    public void Done()
    {
        lock (gate)
        {
            inHand = [];
        }
    }

    /// <summary>What is in hand could not be looked at: it waits again, before all others.</summary>
    public void PutBack()
    {
        lock (gate)
        {
            foreach (var (key, at) in inHand)
            {
                rings[key] = at;
            }

            order = new Queue<T>(inHand.Select(ring => ring.Key).Concat(order).Distinct(comparer));
            inHand = [];
            if (order.Count > 0)
            {
                rung.TrySetResult();
            }
        }
    }

    /// <summary>Whether something was dropped since the last call.</summary>
    public bool HasOverflown()
    {
        lock (gate)
        {
            (var was, hasOverflown) = (hasOverflown, false);
            return was;
        }
    }
}

/// <summary>A key that rang.</summary>
/// <param name="Key">What it speaks of.</param>
/// <param name="At">When it first rang.</param>
internal readonly record struct Ring<T>(T Key, long At);
