using System.Threading.Channels;
using StatusDaemon.Names;
using StatusDaemon.Routing;

namespace StatusDaemon.Daemon;

/// <summary>What the shards of one daemon owe one gateway. Shards fill it, the cluster's pump takes batches out.</summary>
/// <remarks>
/// While it is short, everything goes out in the order of telling. When the gateway is slower than the publishers, only the newest status of
/// each publisher waits, and the newest verdict of each watch: memory is bounded by what the gateway watches. Verdicts always go first and are
/// never conflated with statuses, so that nothing that was published after a hide can overtake it.
/// </remarks>
internal sealed class Outbox(ulong id)
{
    /// <summary>Statuses that may wait before older ones of the same publisher are dropped.</summary>
    public const int PatientDeliveries = 4096;

    /// <summary>Most deliveries of a batch: about 200 KB.</summary>
    public const int BatchDeliveries = 1024;

    private readonly Lock gate = new();

    // Holds one token while something waits; a second one would say nothing more, so it is dropped.
    private readonly Channel<bool> filled = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private List<Effect> verdicts = [];
    private List<Effect> statuses = [];
    private int patience = PatientDeliveries;
    private bool hasVerdictUnderWay;
    private long number;
    private long heardAt;
    private long sentAt = -1; // by the steady clock; negative while nothing is under way
    private long conflated;

    /// <summary>Whether its gateway can still be reached; when it is not, shards make the gateway declare itself anew.</summary>
    public bool IsOpen { get; private set; } = true;

    /// <summary>Whether a status may go another way than through it: it is open, no verdict waits, and all that were taken out have arrived. Statuses need not keep their order, since they have their stamps.</summary>
    public bool MayBePassed
    {
        get
        {
            lock (gate)
            {
                return IsOpen && !hasVerdictUnderWay && verdicts.Count == 0;
            }
        }
    }

    /// <summary>When a shard last heard the gateway, by the steady clock; any shard's word will do.</summary>
    public TimeSpan HeardAt
    {
        get => new(Volatile.Read(ref heardAt));
        set => Volatile.Write(ref heardAt, value.Ticks);
    }

    /// <summary>Since when a batch has been under way; null while none is. Of the one who carries it.</summary>
    public TimeSpan? SentAt
    {
        get => Volatile.Read(ref sentAt) is var at and >= 0 ? new TimeSpan(at) : null;
        set => Volatile.Write(ref sentAt, value?.Ticks ?? -1);
    }

    /// <summary>Deliveries that were dropped, since a newer one took their place.</summary>
    public long Conflated => Volatile.Read(ref conflated);

    /// <summary>Deliveries that wait.</summary>
    public int Count
    {
        get
        {
            lock (gate)
            {
                return verdicts.Count + statuses.Count;
            }
        }
    }

    /// <summary>Adds what a shard tells this gateway.</summary>
    public void Add(Effect delivery)
    {
        lock (gate)
        {
            if (!IsOpen)
            {
                return;
            }

            (delivery is Effect.Tell ? verdicts : statuses).Add(delivery);
            if (verdicts.Count + statuses.Count > patience)
            {
                var before = verdicts.Count + statuses.Count;
                verdicts = Newest(verdicts, delivery => (((Effect.Tell)delivery).Connection.Number, ((Effect.Tell)delivery).Publisher));
                statuses = Newest(statuses, delivery => (0, ((Effect.Deliver)delivery).Publisher));
                conflated += before - verdicts.Count - statuses.Count;
                patience = Math.Max(PatientDeliveries, (verdicts.Count + statuses.Count) * 2);
            }

            filled.Writer.TryWrite(true);
        }
    }

    /// <summary>Waits until there is something to take.</summary>
    /// <returns>False if there was nothing for so long.</returns>
    public async Task<bool> WaitAsync(TimeSpan limit, TimeProvider time, CancellationToken stop)
    {
        using var patience = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stop);
        try
        {
            return await filled.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>The last batch has arrived. Takes the next: verdicts first, each kind in the order of telling.</summary>
    /// <returns>Null if nothing waits.</returns>
    public DeliveryBatch? Take()
    {
        lock (gate)
        {
            hasVerdictUnderWay = verdicts.Count > 0;
            if (verdicts.Count + statuses.Count == 0)
            {
                patience = PatientDeliveries;
                return null;
            }

            var first = Math.Min(verdicts.Count, BatchDeliveries);
            var second = Math.Min(statuses.Count, BatchDeliveries - first);
            Effect[] batch = [.. verdicts[..first], .. statuses[..second]];
            verdicts.RemoveRange(0, first);
            statuses.RemoveRange(0, second);
            return new DeliveryBatch(id, ++number, batch);
        }
    }

    /// <summary>Gives the gateway up: what waits is dropped, and nothing is taken any more.</summary>
    public void Close()
    {
        lock (gate)
        {
            IsOpen = false;
            verdicts = [];
            statuses = [];
        }
    }

    private static List<Effect> Newest(List<Effect> waiting, Func<Effect, (long Connection, Uid Publisher)> subject)
    {
        var seen = new HashSet<(long, Uid)>();
        var newest = new List<Effect>();
        for (var i = waiting.Count - 1; i >= 0; i--)
        {
            if (seen.Add(subject(waiting[i])))
            {
                newest.Add(waiting[i]);
            }
        }

        newest.Reverse();
        return newest;
    }
}
