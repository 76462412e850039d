using StatusDaemon.Names;

namespace StatusDaemon.Storage;

/// <summary>Subscribers whose key rang and has not been looked at yet, each once, the longest waiting first. Any thread may ring, one takes.</summary>
/// <param name="capacity">Most that wait. What rings above it is dropped, and <see cref="HasOverflown"/> tells that everything must be looked at.</param>
internal sealed class RungKeys(int capacity)
{
    private readonly Lock gate = new();
    private readonly Queue<Uid> order = new();
    private readonly Dictionary<Uid, long> rings = new(Uid.Comparer);
    private TaskCompletionSource rung = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool hasOverflown;

    /// <summary>Subscribers that wait.</summary>
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

    /// <summary>When the one that waits longest first rang; null while none waits.</summary>
    public long? OldestAt
    {
        get
        {
            lock (gate)
            {
                return order.TryPeek(out var oldest) ? rings[oldest] : null;
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
    public void Add(Uid uid, long at)
    {
        lock (gate)
        {
            if (rings.ContainsKey(uid))
            {
                return;
            }

            if (rings.Count == capacity)
            {
                hasOverflown = true;
                return;
            }

            rings.Add(uid, at);
            order.Enqueue(uid);

            rung.TrySetResult();
        }
    }

    /// <summary>Takes the longest waiting.</summary>
    public List<Ring> Take(int max)
    {
        lock (gate)
        {
            var taken = new List<Ring>(Math.Min(max, order.Count));
            while (taken.Count < max && order.TryDequeue(out var uid))
            {
                rings.Remove(uid, out var at);
                taken.Add(new Ring(uid, at));
            }

            if (order.Count == 0 && rung.Task.IsCompleted)
            {
                rung = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            return taken;
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

/// <summary>A subscriber whose key rang.</summary>
/// <param name="At">When it first rang.</param>
internal readonly record struct Ring(Uid Uid, long At);
