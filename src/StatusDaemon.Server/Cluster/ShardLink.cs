using StatusDaemon.Routing;
using StatusDaemon.Statuses;

namespace StatusDaemon.Cluster;

/// <summary>One gateway's way to one shard: one batch outstanding, everything that comes meanwhile goes into the next.</summary>
/// <remarks>
/// Pure and owned by the gateway's loop; who calls the shard is another matter. A batch that got no answer is sent again under the same
/// number. A shard that does not know the gateway (it was activated anew, or had given it up) gets a declaration of all that the gateway has,
/// with the newest records that it holds, then every status that its clients published and saw no answer for: nothing is lost on the way.
/// Accepted statuses are kept until the shard says that they are in the store, so that they survive the daemon. However long a shard or its
/// store is away, what waits is bounded: <see cref="WaitingInputs"/>, <see cref="UnsavedRecords"/>.
/// </remarks>
/// <param name="declare">Appends what the gateway has of a shard: leases, newest records, watches.</param>
/// <param name="sourceOf">Who a connection is, for the record of what it published.</param>
/// <param name="pass">Passes on what an answer tells.</param>
internal sealed class ShardLink(
    GatewayId gateway, int shard, Action<int, ICollection<RouterInput>> declare, Func<RouterInput.Publish, DateTimeOffset, ChangeSource> sourceOf, Action<Effect.Deliver> pass)
{
    /// <summary>Most inputs of one batch: about 200 KB.</summary>
    public const int BatchInputs = 2048;

    private readonly UnsavedRecords unsaved = new();
    private readonly WaitingInputs waiting = new();
    private ShardBatch? outstanding;
    private long number;

    /// <summary>Whether the shard knows all that the gateway has, up to what waits here.</summary>
    public bool IsDeclared { get; private set; }

    /// <summary>Epoch of the activation that answered last; 0 before the first answer.</summary>
    public long Activation { get; private set; }

    /// <summary>Whether a batch was handed out and neither answered nor given back.</summary>
    public bool IsBusy { get; private set; }

    /// <summary>Whether the shard has ever taken what this gateway had to tell.</summary>
    public bool IsReached { get; private set; }

    /// <summary>Whether the last call was not answered.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>Inputs that wait for the shard, or for its answer.</summary>
    public int Waiting => waiting.Count + (outstanding?.Inputs.Count ?? 0);

    /// <summary>Accepted statuses that the shard has not said to be in the store.</summary>
    public int Unsaved => unsaved.Count;

    /// <summary>Whether there is something to tell the shard; one that asks for a declaration gets it at once.</summary>
    public bool HasWork => outstanding is not null || waiting.Count > 0 || (Activation > 0 && !IsDeclared);

    /// <summary>Whether an answer that is under way lets something go on: else it may be taken whenever the gateway is awake for another reason.</summary>
    public bool IsWaitedFor => IsBusy && (waiting.Count > 0 || !IsReached || !IsDeclared);

    /// <summary>Adds an input for this shard. Before the gateway has declared itself only statuses are kept: the declaration will hold the rest.</summary>
    public void Add(RouterInput input)
    {
        if (!IsDeclared && input is not RouterInput.Publish)
        {
            return;
        }

        waiting.Add(input);
    }

    /// <summary>Hands out the batch to call the shard with: the unanswered one again, or the next; an empty one serves as heartbeat.</summary>
    /// <param name="now">By the gateway's clock.</param>
    /// <exception cref="InvalidOperationException">One is handed out already.</exception>
    public ShardBatch Next(TimeSpan now = default)
    {
        if (IsBusy)
        {
            throw new InvalidOperationException($"Shard {shard} has not answered the last batch.");
        }

        IsBusy = true;
        if (outstanding is not null)
        {
            return outstanding = outstanding.At == now ? outstanding : outstanding with { At = now };
        }

        if (Activation == 0)
        {
            return outstanding = new ShardBatch(gateway, 0, ++number, [], now);
        }

        if (!IsDeclared)
        {
            waiting.Declare(new RouterInput.Declare(gateway), unsaved.TakeAll(), rest => declare(shard, rest));
            IsDeclared = true;
        }

        return outstanding = new ShardBatch(gateway, Activation, ++number, waiting.Take(BatchInputs), now);
    }

    /// <summary>The shard answered the batch that was handed out.</summary>
    /// <returns>False if this cannot be the answer to it, which is none: like after <see cref="Failed"/> the batch goes again.</returns>
    public bool Answered(ShardAnswer answer)
    {
        var asked = outstanding ?? throw new InvalidOperationException($"Shard {shard} answers what was not asked.");
        if (answer.Activation < Activation // an activation that should be gone; the later one must take the batch
            || (!answer.MustDeclare && answer.Accepted.Count != asked.Inputs.Count(input => input.IsChange)))
        {
            Failed();
            return false;
        }

        outstanding = null;
        IsBusy = false;
        HasFailed = false;
        Activation = answer.Activation;
        if (answer.MustDeclare)
        {
            waiting.Forget(asked.Inputs);
            IsDeclared = false;
        }
        else
        {
            IsReached = true;
            Keep(asked, answer);
            foreach (var told in answer.Told)
            {
                pass(told);
            }
        }

        return true;
    }

    /// <summary>The call failed: whether the shard took the batch is not known, so it will be handed out again.</summary>
    public void Failed() => (IsBusy, HasFailed) = (false, true);

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
                unsaved.Add(record with { Record = record.Record with { Version = new StatusVersion(answer.Incarnation, key.Epoch, key.Seq) } });
            }
        }

        unsaved.Forget(answer.Saved);
    }
}
