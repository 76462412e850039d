using System.Diagnostics;
using StatusDaemon.Names;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;
using StatusDaemon.Storage;

namespace StatusDaemon.Daemon;

/// <summary>One router at work: takes the batches of gateways, runs what the router decides, and feeds the store.</summary>
/// <remarks>
/// One caller at a time, except that <see cref="SaveAsync"/> may run while others wait for the store: it touches the router only between its
/// waits, on the same scheduler. Routing never waits for a write.
/// </remarks>
internal sealed class RouterShard(int number, Router router, Outboxes outboxes, IStatusStore store, SteadyClock clock)
{
    /// <summary>Records of one write: half a second of a busy shard, and a commit of a few milliseconds.</summary>
    private const int SaveRecords = 4096;

    /// <summary>How long the last batch number of a gateway that is gone is remembered; no message of it is under way for longer.</summary>
    private static readonly TimeSpan Remember = TimeSpan.FromMinutes(10);

    private readonly Dictionary<GatewayId, Declared> gateways = [];
    private readonly List<Effect> decided = [];
    private readonly List<Uid> wanted = [];
    private readonly List<Effect.Deliver> told = []; // to the gateway that is answered
    private readonly ulong incarnation = store.Incarnation;
    private GatewayId? answered;
    private FeedCursor saved = new(store.Incarnation, new FeedKey(router.Activation, 0));
    private Task saving = Task.CompletedTask;
    private long losses = store.Losses;

    /// <summary>Whether something changed that is not in the store, or the store has lost what was.</summary>
    public bool HasUnsaved => router.LastChange > saved.Key || store.Losses != losses;

    /// <summary>Whether the store is another one now, or was restored: nothing that is known here is of it.</summary>
    public bool IsOfAnotherStore => store.Incarnation != incarnation;

    /// <inheritdoc cref="Router.Activation"/>
    public long Activation => router.Activation;

    /// <inheritdoc cref="Router.DirectoryRevision"/>
    public long DirectoryRevision => router.DirectoryRevision;

    /// <summary>Takes a gateway's batch, once, however often it arrives.</summary>
    /// <exception cref="StoreException">The store cannot be asked now. Call again with the batch: it goes on where it stopped.</exception>
    public async Task<ShardAnswer> TakeAsync(ShardBatch batch, CancellationToken stop)
    {
        var gateway = batch.Gateway;
        var outbox = outboxes.Find(gateway);
        if (batch.Activation != router.Activation)
        {
            return Answer(mustDeclare: true, [], []);
        }

        if (gateways.TryGetValue(gateway, out var known) && batch.Number <= known.LastBatch)
        {
            if (!router.Knows(gateway) || batch.Number < known.LastBatch)
            {
                return Answer(mustDeclare: !router.Knows(gateway), [], []); // to an earlier batch, which was answered: nobody waits for it
            }

            // A gateway that waits for its answer lives, however long the store keeps it waiting.
            await HearAsync(gateway, known.Outbox, stop);
            return await FinishAsync(batch, known, stop);
        }

        // With an outbox that was given up, things that were told are lost: also if another shard has opened a new one since.
        if (router.Knows(gateway) && !ReferenceEquals(outbox, known?.Outbox))
        {
            await ApplyAsync(new RouterInput.Leave(gateway), stop);
        }

        if (outbox is null || !(batch.Declares || router.Knows(gateway)))
        {
            return Answer(mustDeclare: true, [], []);
        }

        known = gateways[gateway] = new Declared(outbox, batch.Number, clock.Now.Steady);
        await HearAsync(gateway, outbox, stop);
        return await FinishAsync(batch, known, stop);
    }

    /// <summary>Takes an input that comes from no gateway.</summary>
    public Task TakeAsync(RouterInput input, CancellationToken stop) => ApplyAsync(input, stop);

    /// <summary>Takes the statuses that other programs wrote into the store. A remote subscriber's home is its only writer, and nobody knows an unknown one: these are refused.</summary>
    public async Task TakeExternalAsync(CancellationToken stop)
    {
        foreach (var written in store.External.Take(number))
        {
            if (!written.Version.IsNone)
            {
                await ApplyAsync(new RouterInput.Adopt(written.Uid, new StatusRecord(written.Status, written.Timestamp, written.Version, written.Source)), stop);
            }
            else if (!router.IsLocal(written.Uid))
            {
                if (written.End is null)
                {
                    store.External.Refuse(written.Uid, "the subscriber is of another domain, or in no directory and STORAGE.unknown_uids is refuse");
                }
            }
            else if (Counts(written, router.RecordOf(written.Uid)))
            {
                var source = written.Source;
                await ApplyAsync(new RouterInput.Set(written.Uid, written.Status, written.Timestamp, source.Kind, source.Actor, source.Through), stop);
                store.External.Accept(written.Uid);
            }
        }
    }

    /// <summary>Gives back what it holds; nothing may be called afterwards.</summary>
    public void Close() => router.Close();

    /// <summary>Lets time pass: offline rule, silent gateways.</summary>
    public async Task TickAsync(CancellationToken stop)
    {
        await ReadWantedAsync(stop);
        await ApplyAsync(RouterInput.Tick.Now, stop);
        var now = clock.Now.Steady;
        foreach (var (gateway, last) in gateways)
        {
            if (now - last.HeardAt > Remember && !router.Knows(gateway))
            {
                gateways.Remove(gateway);
            }
        }
    }

    /// <summary>Writes what changed since the last write. A failure leaves it for the next time: the feed has it until then.</summary>
    /// <exception cref="StoreException">The store cannot be written now.</exception>
    public Task SaveAsync(CancellationToken stop) => saving = SaveAfterAsync(saving, stop);

    /// <summary>Whether what another program did is newer than what is known. A value that ended is not newer than what was accepted since, and goes into its place.</summary>
    private static bool Counts(in ExternalStatus written, in StatusRecord known) => written.End switch
    {
        null => written.Status != Status.Unknown || !known.IsNone,
        { IsForeign: true } => !known.IsNone && known.Source.Kind == SourceKind.External,
        { Version: var ended } => !known.IsNone && !known.Version.IsNewerThan(ended),
    };

    private async Task SaveAfterAsync(Task previous, CancellationToken stop)
    {
        await previous.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        if (store.Losses != losses && router.HasReadAll)
        {
            losses = store.Losses;
            saved = default;
        }

        var changes = new List<(Uid Uid, StatusRecord Record)>();
        while (true)
        {
            changes.Clear();
            var next = router.ReadChanges(saved, SaveRecords, changes);
            if (changes.Count == 0)
            {
                return;
            }

            await WriteAsync([.. changes.Select(change => new StoredStatus(change.Uid, change.Record))], stop);
            saved = next;
        }
    }

    /// <summary>Writes records. Where another program was faster its status comes first; the record is written over it if that was refused.</summary>
    private async Task WriteAsync(IReadOnlyList<StoredStatus> records, CancellationToken stop)
    {
        while (records.Count > 0 && !IsOfAnotherStore)
        {
            var overtaken = await store.WriteAsync(records, stop);
            if (overtaken.Count > 0)
            {
                await TakeExternalAsync(stop);
            }

            records = [.. overtaken.Where(stored => router.RecordOf(stored.Uid).Version == stored.Record.Version)];
        }
    }

    private Task HearAsync(GatewayId gateway, Outbox outbox, CancellationToken stop)
    {
        outbox.HeardAt = clock.Now.Steady;
        return ApplyAsync(new RouterInput.Renew(gateway), stop);
    }

    private async Task ApplyAsync(RouterInput input, CancellationToken stop)
    {
        decided.Clear();
        router.Apply(input, clock.Now, decided);
        if (decided is [Effect.Outrun outrun])
        {
            router.Raise(await store.NextEpochAsync(outrun.Epoch, stop));
            decided.Clear();
            router.Apply(input, clock.Now, decided);
        }

        foreach (var effect in decided)
        {
            switch (effect)
            {
                case Effect.Deliver deliver when deliver.Gateway == answered:
                    told.Add(deliver);
                    break;
                case Effect.Deliver deliver:
                    gateways[deliver.Gateway].Outbox.Add(deliver);
                    break;
                case Effect.Tell tell:
                    gateways[tell.Connection.Gateway].Outbox.Add(tell);
                    break;
                case Effect.Read read:
                    wanted.Add(read.Publisher);
                    break;
                default:
                    throw new UnreachableException();
            }
        }
    }

    private async Task ReadWantedAsync(CancellationToken stop)
    {
        if (wanted.Count == 0)
        {
            return;
        }

        Uid[] asked = [.. wanted];
        var found = (await store.ReadAsync(asked, stop)).ToDictionary(stored => stored.Uid, stored => stored.Record, Uid.Comparer);
        var learnt = 0;
        try
        {
            for (; learnt < asked.Length; learnt++)
            {
                await ApplyAsync(new RouterInput.WasRead(asked[learnt], found.GetValueOrDefault(asked[learnt])), stop);
            }
        }
        finally
        {
            wanted.RemoveRange(0, learnt); // behind them are those that came meanwhile: a save takes what other programs wrote
        }
    }

    /// <summary>Applies what is left of a gateway's last batch, and answers it when the store has said what it needs to know.</summary>
    private async Task<ShardAnswer> FinishAsync(ShardBatch batch, Declared known, CancellationToken stop)
    {
        if (known.LastAnswer is not null)
        {
            return known.LastAnswer;
        }

        var isDone = false;
        answered = batch.Gateway;
        try
        {
            for (; known.Applied < batch.Inputs.Count; known.Applied++)
            {
                var input = batch.Inputs[known.Applied];
                var before = router.LastChange;
                await ApplyAsync(WithAge(input, batch), stop); // throws only before it has changed anything
                if (input.IsChange)
                {
                    known.Accepted.Add(input is RouterInput.Adopt || router.LastChange == before ? default : router.LastChange);
                }
            }

            isDone = wanted.Count == 0;
        }
        finally
        {
            answered = null;
            if (!isDone || !known.Outbox.MayBePassed)
            {
                PutInOutbox(known.Outbox);
            }
        }

        await ReadWantedAsync(stop);
        NoteHeld(batch, known.Accepted);
        known.LastAnswer = Answer(mustDeclare: false, [.. known.Accepted], [.. told]);
        told.Clear();
        return known.LastAnswer;
    }

    /// <summary>Tells by our own clock when something was said.</summary>
    private RouterInput WithAge(RouterInput input, ShardBatch batch) => input switch
    {
        RouterInput.Publish publish when batch.At - publish.SaidAt is var age && age >= RouterSettings.LateAfter => new RouterInput.Late(publish, age),
        RouterInput.Restore restore => restore with { SaidAt = clock.Now.Steady - (batch.At - restore.SaidAt) },
        _ => input,
    };

    /// <summary>Statuses do not go with an answer that waits for the store, nor past a verdict that is told through the outbox, and may hide them.</summary>
    private void PutInOutbox(Outbox outbox)
    {
        foreach (var deliver in told)
        {
            outbox.Add(deliver);
        }

        told.Clear();
    }

    /// <summary>Fills in under which change each record of the gateway is held: known only after the store was asked, and also if we had it already.</summary>
    private void NoteHeld(ShardBatch batch, List<FeedKey> accepted)
    {
        var at = 0;
        foreach (var input in batch.Inputs)
        {
            if (input is RouterInput.Adopt adopt)
            {
                accepted[at] = router.HeldAs(adopt.Publisher, adopt.Record.Version);
            }

            at += input.IsChange ? 1 : 0;
        }
    }

    private ShardAnswer Answer(bool mustDeclare, IReadOnlyList<FeedKey> accepted, IReadOnlyList<Effect.Deliver> told) =>
        new(router.Activation, mustDeclare, store.Incarnation, saved.Key, clock.Now.Utc, accepted, told);

    /// <summary>What is remembered of a gateway: where what it is told goes, and its last batch.</summary>
    private sealed class Declared(Outbox outbox, long lastBatch, TimeSpan heardAt)
    {
        public Outbox Outbox { get; } = outbox;

        public long LastBatch { get; } = lastBatch;

        public TimeSpan HeardAt { get; } = heardAt;

        /// <summary>Inputs of the batch that were applied: fewer than it has when the store was away.</summary>
        public int Applied { get; set; }

        /// <summary>What the statuses of the batch became.</summary>
        public List<FeedKey> Accepted { get; } = [];

        /// <summary>Given again when the batch comes again; null while the store has not said what is needed for it.</summary>
        public ShardAnswer? LastAnswer { get; set; }
    }
}
