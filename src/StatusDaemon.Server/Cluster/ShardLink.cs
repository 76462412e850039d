using StatusDaemon.Names;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;

namespace StatusDaemon.Cluster;

/// <summary>One gateway's way to one shard: one batch outstanding, everything that comes meanwhile goes into the next.</summary>
/// <remarks>
/// Pure and owned by the gateway's loop; who calls the shard is another matter. A batch that got no answer is sent again under the same
/// number. A shard that does not know the gateway (it was activated anew, or had given it up) gets a declaration of all that the gateway has,
/// with the newest records that it holds, then every status that its clients published and saw no answer for: nothing is lost on the way.
/// While a shard is away, only the newest status of each publisher and the newest wish of each watch wait. Accepted statuses are kept until the shard says that they are in
/// the store, so that they survive the daemon.
/// </remarks>
/// <param name="declare">Appends what the gateway has of a shard: leases, newest records, watches.</param>
/// <param name="sourceOf">Who a connection is, for the record of what it published.</param>
internal sealed class ShardLink(
    GatewayId gateway, int shard, Action<int, ICollection<RouterInput>> declare, Func<RouterInput.Publish, DateTimeOffset, ChangeSource> sourceOf)
{
    /// <summary>Most inputs of one batch: about 200 KB.</summary>
    public const int BatchInputs = 2048;

    /// <summary>Inputs that may wait before those that a later one has overtaken are dropped.</summary>
    public const int PatientInputs = 4096;

    // Accepted and not known to be in the store yet, in the order of acceptance.
    private readonly Queue<RouterInput.Adopt> unsaved = new();
    private List<RouterInput> waiting = [];
    private int patience = PatientInputs;
    private ShardBatch? outstanding;
    private long number;

    /// <summary>Whether the shard knows all that the gateway has, up to what waits here.</summary>
    public bool IsDeclared { get; private set; }

    /// <summary>Epoch of the activation that answered last; 0 before the first answer.</summary>
    public long Activation { get; private set; }

    /// <summary>Whether a batch was handed out and neither answered nor given back.</summary>
    public bool IsBusy { get; private set; }

    /// <summary>Whether there is something to tell the shard.</summary>
    public bool HasWork => outstanding is not null || waiting.Count > 0;

    /// <summary>Adds an input for this shard. Before the gateway has declared itself only statuses are kept: the declaration will hold the rest.</summary>
    public void Add(RouterInput input)
    {
        if (!IsDeclared && input is not RouterInput.Publish)
        {
            return;
        }

        waiting.Add(input);
        if (waiting.Count > patience)
        {
            waiting = WithoutOvertaken(waiting);
            patience = Math.Max(PatientInputs, waiting.Count * 2);
        }
    }

    /// <summary>Hands out the batch to call the shard with: the unanswered one again, or the next; an empty one serves as heartbeat.</summary>
    /// <exception cref="InvalidOperationException">One is handed out already.</exception>
    public ShardBatch Next()
    {
        if (IsBusy)
        {
            throw new InvalidOperationException($"Shard {shard} has not answered the last batch.");
        }

        IsBusy = true;
        if (outstanding is not null)
        {
            return outstanding;
        }

        if (Activation == 0)
        {
            return outstanding = new ShardBatch(gateway, 0, ++number, []);
        }

        if (!IsDeclared)
        {
            List<RouterInput> all = [new RouterInput.Declare(gateway)];
            all.AddRange(unsaved); // records first: a watch must not be answered with an older one
            all.AddRange(waiting.Where(input => input is RouterInput.Adopt));
            declare(shard, all);
            all.AddRange(waiting.Where(input => input is RouterInput.Publish));
            unsaved.Clear();
            waiting = all;
            IsDeclared = true;
        }

        var count = Math.Min(waiting.Count, BatchInputs);
        outstanding = new ShardBatch(gateway, Activation, ++number, waiting[..count]);
        waiting.RemoveRange(0, count);
        if (waiting.Count == 0)
        {
            patience = PatientInputs;
        }

        return outstanding;
    }

    /// <summary>The shard answered the batch that was handed out.</summary>
    public void Answered(ShardAnswer answer)
    {
        if (answer.Activation < Activation)
        {
            Failed(); // an activation that should be gone; the later one must take the batch
            return;
        }

        var answered = outstanding ?? throw new InvalidOperationException($"Shard {shard} answers what was not asked.");
        outstanding = null;
        IsBusy = false;
        Activation = answer.Activation;
        if (answer.MustDeclare)
        {
            IEnumerable<RouterInput> all = [.. answered.Inputs, .. waiting];
            waiting = [.. NewestRecords(all.OfType<RouterInput.Adopt>()), .. WithoutOvertaken([.. all.OfType<RouterInput.Publish>()])];
            IsDeclared = false;
        }
        else
        {
            Keep(answered, answer);
        }
    }

    /// <summary>The call failed: whether the shard took the batch is not known, so it will be handed out again.</summary>
    public void Failed() => IsBusy = false;

    /// <summary>Keeps what the shard accepted, and forgets what it has saved.</summary>
    private void Keep(ShardBatch batch, ShardAnswer answer)
    {
        var at = 0;
        foreach (var input in batch.Inputs)
        {
            var record = input switch
            {
                RouterInput.Publish publish => new RouterInput.Adopt(publish.Publisher, new StatusRecord(publish.Status, publish.Timestamp, default, sourceOf(publish, answer.At))),
                RouterInput.Adopt adopt => adopt,
                _ => null,
            };
            if (record is not null && answer.Accepted[at++] is { Epoch: > 0 } key)
            {
                unsaved.Enqueue(record with { Record = record.Record with { Version = new StatusVersion(answer.Incarnation, key.Epoch, key.Seq) } });
            }
        }

        while (unsaved.TryPeek(out var oldest) && new FeedKey(oldest.Record.Version.Epoch, oldest.Record.Version.Seq) <= answer.Saved)
        {
            unsaved.Dequeue();
        }
    }

    private static IEnumerable<RouterInput> NewestRecords(IEnumerable<RouterInput.Adopt> records) => records
        .GroupBy(adopt => adopt.Publisher, Uid.Comparer)
        .Select(same => same.Aggregate((newest, next) => next.Record.Version.IsNewerThan(newest.Record.Version) ? next : newest));

    /// <summary>What still counts of the inputs: the newest status of each publisher, the newest wish of each watch, and all else, in order.</summary>
    private static List<RouterInput> WithoutOvertaken(List<RouterInput> inputs)
    {
        var seen = new HashSet<(ConnectionId?, Uid)>();
        var kept = new List<RouterInput>(inputs.Count);
        for (var i = inputs.Count - 1; i >= 0; i--)
        {
            if (SubjectOf(inputs[i]) is not { } subject || seen.Add(subject))
            {
                kept.Add(inputs[i]);
            }
        }

        kept.Reverse();
        return kept;
    }

    /// <returns>What a later input of the same kind overtakes; null if none does.</returns>
    private static (ConnectionId? Connection, Uid Publisher)? SubjectOf(RouterInput input) => input switch
    {
        RouterInput.Publish publish => (null, publish.Publisher),
        RouterInput.Watch watch => (watch.Connection, watch.Publisher),
        RouterInput.Unwatch unwatch => (unwatch.Connection, unwatch.Publisher),
        _ => null,
    };
}
