namespace StatusDaemon.Protocol;

/// <summary>How many messages a connection may still send now: a bucket of <see cref="Limits.MessageBurst"/> that <see cref="Limits.MessagesPerSecond"/> refill.</summary>
/// <remarks>Mutable and small, to be a field of the connection. The default value is a full bucket.</remarks>
public struct MessageBudget
{
    private double spent; // and not refilled yet
    private TimeSpan refilledAt;

    /// <summary>Spends one message.</summary>
    /// <param name="now">By a steady clock; may be coarse.</param>
    /// <returns>False if nothing is left: refuse the message with <see cref="ErrorCode.RateLimited"/>.</returns>
    public bool TrySpend(TimeSpan now, Limits limits)
    {
        spent = Math.Max(0, spent - ((now - refilledAt).TotalSeconds * limits.MessagesPerSecond));
        refilledAt = now;
        if (spent + 1 > limits.MessageBurst)
        {
            return false;
        }

        spent++;
        return true;
    }

    /// <summary>Takes what a message with many events costs beyond itself; the budget may owe it, and nothing can be spent until that is refilled.</summary>
    /// <remarks>So that one large message is always taken, and not a thousand of them each second.</remarks>
    public void Charge(int events) => spent += events / Limits.EventsPerMessage;
}
