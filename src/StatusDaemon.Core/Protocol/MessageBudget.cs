namespace StatusDaemon.Protocol;

/// <summary>How many messages a connection may still send now: a bucket of <see cref="Limits.MessageBurst"/> that <see cref="Limits.MessagesPerSecond"/> refill.</summary>
/// <remarks>Mutable and small, to be a field of the connection. The default value is a full bucket.</remarks>
public struct MessageBudget
{
    private double left;
    private long refilledAt;

    /// <summary>Spends one message.</summary>
    /// <param name="now">May be coarse. A clock that is set back only loses the time that it repeats.</param>
    /// <returns>False if nothing is left: refuse the message with <see cref="ErrorCode.RateLimited"/>.</returns>
    public bool TrySpend(DateTimeOffset now, Limits limits)
    {
        var elapsed = TimeSpan.FromTicks(Math.Max(0, now.UtcTicks - refilledAt));
        left = Math.Min(limits.MessageBurst, left + (elapsed.TotalSeconds * limits.MessagesPerSecond));
        refilledAt = now.UtcTicks;
        if (left < 1)
        {
            return false;
        }

        left--;
        return true;
    }

    /// <summary>Takes what a message with many events costs beyond itself; the budget may owe it, and nothing can be spent until that is refilled.</summary>
    /// <remarks>So that one large message is always taken, and not a thousand of them each second.</remarks>
    public void Charge(int events) => left -= events / Limits.EventsPerMessage;
}
