namespace StatusDaemon.Auth;

/// <summary>Those whose tickets are to be looked at: a few at once, first come, first served, and no more of them than can be served soon.</summary>
/// <param name="atOnce">Tickets looked at side by side.</param>
/// <param name="most">Most that wait. Who comes then is told at once to come back, instead of taking up memory and giving up by himself.</param>
/// <param name="longest">Longest wait.</param>
internal sealed class LoginQueue(int atOnce, int most, TimeSpan longest) : IDisposable
{
    private readonly SemaphoreSlim turns = new(atOnce);
    private int waiting;

    /// <summary>Waits for a turn; it ends with <see cref="Leave"/>.</summary>
    /// <returns>False if too many wait, or the wait was too long.</returns>
    /// <exception cref="OperationCanceledException">The client is gone.</exception>
    public async ValueTask<bool> TryEnterAsync(CancellationToken gone)
    {
        // While somebody waits nobody gets past: a turn that is given back goes to the first of them.
        if (await turns.WaitAsync(0, gone))
        {
            return true;
        }

        try
        {
            return Interlocked.Increment(ref waiting) <= most && await turns.WaitAsync(longest, gone);
        }
        finally
        {
            Interlocked.Decrement(ref waiting);
        }
    }

    /// <summary>Gives a turn to the next.</summary>
    public void Leave() => turns.Release();

    /// <inheritdoc/>
    public void Dispose() => turns.Dispose();
}
