using StatusDaemon.Redis;

namespace StatusDaemon.Storage;

/// <summary>What the database has lost. From when that is found out until every key was looked at nothing is written, so that what the look has found stays so until everything is written again. Any thread may call.</summary>
/// <param name="tell">Is told how the first of a row was found out.</param>
internal sealed class RedisLosses(Action<string> tell) : IDisposable
{
    private readonly SemaphoreSlim writing = new(1);
    private volatile bool isPending;
    private long found;
    private long count;

    /// <summary>Losses that were dealt with.</summary>
    public long Count => Interlocked.Read(ref count);

    /// <summary>Losses that were found out, those dealt with too.</summary>
    public long Found => Interlocked.Read(ref found);

    /// <summary>Whether one was found out and not dealt with yet.</summary>
    public bool IsPending => isPending;

    /// <summary>Notes a loss.</summary>
    public void Note(string how)
    {
        Interlocked.Increment(ref found);
        if (!isPending)
        {
            isPending = true;
            tell(how);
        }
    }

    /// <summary>It was none: the database is another one, whose content counts.</summary>
    public void Withdraw() => isPending = false;

    /// <summary>Runs writes, never beside a look at what was lost.</summary>
    /// <exception cref="RedisAwayException">Something was lost, and that is not dealt with yet.</exception>
    public async Task<T> WriteAsync<T>(Func<Task<T>> write)
    {
        await writing.WaitAsync();
        try
        {
            return !isPending ? await write() : throw RedisAwayException.Lost();
        }
        finally
        {
            writing.Release();
        }
    }

    /// <summary>Looks at every key, never beside writes. What was lost is dealt with then, unless more was found out meanwhile.</summary>
    /// <param name="foundBefore"><see cref="Found"/> as it was before.</param>
    /// <param name="look">Is told whether something was lost.</param>
    public async Task LookAsync(long foundBefore, Func<bool, Task> look, CancellationToken stop)
    {
        await writing.WaitAsync(stop);
        try
        {
            var isAfterLoss = isPending;
            await look(isAfterLoss);
            if (isAfterLoss && foundBefore == Found)
            {
                isPending = false;
                Interlocked.Increment(ref count);
            }
        }
        finally
        {
            writing.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => writing.Dispose();
}
