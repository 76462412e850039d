namespace StatusDaemon.Storage;

/// <summary>Loads whole shards from the store, with one scan for all that ask in the same moment.</summary>
/// <remarks>
/// A scan counts only for who asked before it began: what an older scan has read may be older than what a shard's previous owner has written since.
/// Whoever asks while a scan runs is served by the next one, so at most one runs at a time. Any thread may call.
/// </remarks>
/// <param name="shards">Number of shards, a power of two.</param>
internal sealed class StatusScan(IStatusStore store, int shards, TimeProvider clock)
{
    /// <summary>How long a scan waits for more shards to ask before it begins.</summary>
    /// <remarks>All shards of a daemon that starts ask within some milliseconds; without the wait the first would have a scan of its own.</remarks>
    public static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(20);

    private readonly Lock gate = new();
    private Round? gathering;
    private Task running = Task.CompletedTask;

    /// <summary>All records of one shard, in the order of <see cref="IStatusStore.ScanAsync"/>, as new as the last write that returned before the call.</summary>
    /// <remarks>The list is shared with others who ask for the same shard. A scan that nobody waits for any more is given up.</remarks>
    /// <exception cref="StoreException">The scan failed; all who shared it hear so, and the next call begins another.</exception>
    public async Task<IReadOnlyList<StoredStatus>> LoadAsync(int shard, CancellationToken stop)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(shard);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(shard, shards);
        var round = Join(shard);
        try
        {
            await round.Finished.WaitAsync(stop);
            return round.Lists[shard]!;
        }
        finally
        {
            Leave(round);
        }
    }

    private Round Join(int shard)
    {
        lock (gate)
        {
            if (gathering is null)
            {
                gathering = new Round(shards);
                running = gathering.Finished = ScanAsync(gathering, running);
            }

            gathering.Lists[shard] ??= [];
            gathering.Waiting++;
            return gathering;
        }
    }

    private void Leave(Round round)
    {
        lock (gate)
        {
            if (--round.Waiting > 0)
            {
                return;
            }

            Close(round);
        }

        round.Abandoned.Cancel();
    }

    // From here on whoever asks gets a later round.
    private void Close(Round round)
    {
        lock (gate)
        {
            gathering = gathering == round ? null : gathering;
        }
    }

    private async Task ScanAsync(Round round, Task previous)
    {
        await previous.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.Delay(Gather, clock, round.Abandoned.Token);
        Close(round);
        await foreach (var stored in store.ScanAsync(round.Abandoned.Token))
        {
            round.Lists[stored.Uid.ShardOf(shards)]?.Add(stored);
        }
    }

    /// <summary>One scan and those who wait for it. Nothing refers to it once they have their lists.</summary>
    private sealed class Round(int shards)
    {
        /// <summary>A list for each shard that was asked for; the records of all others are dropped as they are read.</summary>
        public List<StoredStatus>?[] Lists { get; } = new List<StoredStatus>?[shards];

        public CancellationTokenSource Abandoned { get; } = new();

        public Task Finished { get; set; } = Task.CompletedTask;

        public int Waiting { get; set; }
    }
}
