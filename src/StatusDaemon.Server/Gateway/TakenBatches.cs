using StatusDaemon.Routing;

namespace StatusDaemon.Gateway;

/// <summary>Which batches were taken, so that one that arrives again says nothing.</summary>
/// <remarks>
/// Each start of a daemon, and each time that it had given this gateway up, makes another outbox. The last <see cref="Outboxes"/> of them are
/// remembered; a batch is repeated for half a minute at most, and by then no deployment has made so many.
/// </remarks>
internal sealed class TakenBatches
{
    /// <summary>Outboxes that are remembered; at the bound the one that was not heard for longest is forgotten.</summary>
    public const int Outboxes = 256;

    private readonly Dictionary<ulong, (long Number, long Turn)> last = [];
    private long turn;

    /// <summary>Outboxes remembered now.</summary>
    public int Count => last.Count;

    /// <summary>Notes a batch.</summary>
    /// <returns>False if it was taken before.</returns>
    public bool TryTake(DeliveryBatch batch)
    {
        var isKnown = last.TryGetValue(batch.Outbox, out var known);
        if (isKnown && batch.Number <= known.Number)
        {
            return false;
        }

        if (!isKnown && last.Count == Outboxes)
        {
            last.Remove(last.MinBy(outbox => outbox.Value.Turn).Key);
        }

        last[batch.Outbox] = (batch.Number, ++turn);
        return true;
    }
}
