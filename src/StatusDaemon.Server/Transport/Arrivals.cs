namespace StatusDaemon.Transport;

/// <summary>Connections whose first request is not answered yet. Beyond a number, new ones wait in the kernel: a storm takes no more memory than that.</summary>
/// <param name="most">How many there may be.</param>
internal sealed class Arrivals(int most)
{
    private int count;
    private int isWaited;

    /// <summary>Connections of which nothing is known yet.</summary>
    public int Count => Volatile.Read(ref count);

    /// <summary>Called when there is room again after there was none; the one who accepts sets it, and goes on. On any thread.</summary>
    public Action? Room { get; set; }

    /// <summary>Whether one more may be taken. Only the one who accepts asks; after a no it waits for <see cref="Room"/>.</summary>
    public bool HasRoom
    {
        get
        {
            if (Count < most)
            {
                return true;
            }

            // Whoever leaves after this rings; whoever left before this is seen now.
            Interlocked.Exchange(ref isWaited, 1);
            return Count < most && Interlocked.Exchange(ref isWaited, 0) == 1;
        }
    }

    /// <summary>Counts one more, until it is disposed of.</summary>
    public Arrival Enter()
    {
        Interlocked.Increment(ref count);
        return new Arrival(this);
    }

    private void Leave()
    {
        Interlocked.Decrement(ref count);
        if (Interlocked.Exchange(ref isWaited, 0) == 1)
        {
            Room?.Invoke();
        }
    }

    /// <summary>One connection's place among them; giving it back twice counts once.</summary>
    internal sealed class Arrival(Arrivals all) : IDisposable
    {
        private int isOver;

        /// <summary>The first request is answered, or the connection is gone.</summary>
        public void Dispose()
        {
            if (Interlocked.Exchange(ref isOver, 1) == 0)
            {
                all.Leave();
            }
        }
    }
}
