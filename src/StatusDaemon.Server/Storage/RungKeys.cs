using System.Diagnostics.CodeAnalysis;
using StatusDaemon.Names;

namespace StatusDaemon.Storage;

/// <summary>Subscribers whose key rang and has not been looked at yet, each once, the longest waiting first. Any thread may ring, one takes.</summary>
/// <param name="capacity">Most that wait. What rings above it is dropped, and <see cref="HasOverflown"/> tells that everything must be looked at.</param>
internal sealed class RungKeys(int capacity)
{
    private readonly Lock gate = new();
    private readonly Queue<Uid> order = new();
    private readonly Dictionary<Uid, Ring> rings = new(Uid.Comparer);
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
                return order.TryPeek(out var oldest) ? rings[oldest].At : null;
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

    /// <summary>Notes that a key rang; once more if it waits already.</summary>
    /// <param name="at">By <see cref="TimeProvider.GetTimestamp"/>; for one that waits already the earlier time stays.</param>
    /// <param name="look">Number of the last look that had begun, see <see cref="KnownValues.BeginLook"/>: a later one sees what rang.</param>
    public void Add(Uid uid, long at, long look)
    {
        lock (gate)
        {
            if (rings.TryGetValue(uid, out var before))
            {
                rings[uid] = before with { Look = Math.Max(look, before.Look) };
            }
            else if (rings.Count == capacity)
            {
                hasOverflown = true;
                return;
            }
            else
            {
                rings.Add(uid, new Ring(uid, at, look));
                order.Enqueue(uid);
            }

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
                rings.Remove(uid, out var ring);
                taken.Add(ring);
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

    /// <summary>One that waits.</summary>
    /// <param name="At">When it first rang.</param>
    /// <param name="Look">The last look that had begun when it last rang.</param>
    [SuppressMessage("Design", "CA1034", Justification = "It means nothing without the table.")]
    public readonly record struct Ring(Uid Uid, long At, long Look);
}
