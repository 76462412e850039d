namespace StatusDaemon.Directories;

/// <summary>Items whose key rang and which have not been read since, each once, the longest waiting first. Any thread may ring, one takes.</summary>
/// <param name="capacity">Most that wait. What rings above it is dropped, and <see cref="HasOverflown"/> tells that everything must be read.</param>
internal sealed class PrivilegeBell(int capacity)
{
    private readonly Lock gate = new();
    private readonly Queue<(PrivilegeItem Item, long At)> order = new();
    private readonly HashSet<PrivilegeItem> waiting = [];
    private TaskCompletionSource rung = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool hasOverflown;

    /// <summary>Items that wait.</summary>
    public int Count
    {
        get
        {
            lock (gate)
            {
                return waiting.Count;
            }
        }
    }

    /// <summary>When the one that waits longest rang; null while none waits.</summary>
    public long? OldestAt
    {
        get
        {
            lock (gate)
            {
                return order.TryPeek(out var oldest) ? oldest.At : null;
            }
        }
    }

    /// <summary>Ends when something waits, or too much.</summary>
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
    /// <param name="at">By <see cref="TimeProvider.GetTimestamp"/>.</param>
    public void Ring(PrivilegeItem item, long at)
    {
        lock (gate)
        {
            if (waiting.Count == capacity && !waiting.Contains(item))
            {
                hasOverflown = true;
            }
            else if (waiting.Add(item))
            {
                order.Enqueue((item, at));
            }

            rung.TrySetResult();
        }
    }

    /// <summary>Takes the longest waiting.</summary>
    public List<(PrivilegeItem Item, long At)> Take(int max)
    {
        lock (gate)
        {
            var taken = new List<(PrivilegeItem, long)>(Math.Min(max, order.Count));
            while (taken.Count < max && order.TryDequeue(out var next))
            {
                waiting.Remove(next.Item);
                taken.Add(next);
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
