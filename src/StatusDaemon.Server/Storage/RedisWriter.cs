using StatusDaemon.Names;
using StatusDaemon.Redis;

namespace StatusDaemon.Storage;

/// <summary>Writes batches: all that wait go together, of each subscriber the newest, in one pipeline.</summary>
/// <remarks>One group at a time, so two writes of a key never overtake each other.</remarks>
internal sealed class RedisWriter : IAsyncDisposable
{
    private const int WaitingRequests = 64;

    /// <summary>Writes that are under way at once; some hundred KiB.</summary>
    private const int Pipelined = 1024;

    /// <summary>How long a group waits where the connection was interrupted, at most so often: it takes a moment to find out what came of that.</summary>
    private static readonly TimeSpan Interruption = TimeSpan.FromMilliseconds(100);
    private const int Interruptions = 20;

    /// <summary>How often a write is tried over what turned up in the place of the value that it was to replace.</summary>
    private const int Rounds = 10;

    private readonly RedisStatusKeys keys;
    private readonly KnownValues known;
    private readonly RedisLookout lookout;
    private readonly RedisKeeper keeper;
    private readonly TimeProvider clock;
    private readonly RequestGroups<IReadOnlyList<StoredStatus>, IReadOnlyList<StoredStatus>> requests;

    /// <summary>Starts the loop.</summary>
    public RedisWriter(RedisStatusKeys keys, KnownValues known, RedisLookout lookout, RedisKeeper keeper, TimeProvider clock)
    {
        this.keys = keys;
        this.known = known;
        this.lookout = lookout;
        this.keeper = keeper;
        this.clock = clock;
        requests = new(WaitingRequests, nameof(RedisStatusStore), WriteAsync);
    }

    /// <inheritdoc cref="IStatusStore.WriteAsync"/>
    public Task<IReadOnlyList<StoredStatus>> WriteAsync(IReadOnlyList<StoredStatus> batch, CancellationToken stop)
    {
        StoredStatus.ThrowIfIncomplete(batch);
        return requests.SubmitAsync(batch, stop);
    }

    /// <summary>Writes what waits, if Redis is there, and ends.</summary>
    public ValueTask DisposeAsync() => requests.DisposeAsync();

    private async Task<IReadOnlyList<IReadOnlyList<StoredStatus>>> WriteAsync(IReadOnlyList<IReadOnlyList<StoredStatus>> group)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                var overtaken = await keeper.WriteAsync(() => WriteAsync(NewestOf(group)));
                return [.. group.Select(batch => (IReadOnlyList<StoredStatus>)[.. batch.Where(stored => overtaken.Contains(stored.Uid))])];
            }
            catch (RedisAwayException e)
            {
                keeper.Suspect();
                if (!e.IsInterruption || tries == Interruptions)
                {
                    throw new StoreException(e.Message, e);
                }
            }

            await Task.Delay(Interruption, clock);
        }
    }

    private static Dictionary<Uid, StoredStatus> NewestOf(IEnumerable<IReadOnlyList<StoredStatus>> group)
    {
        var newest = new Dictionary<Uid, StoredStatus>(Uid.Comparer);
        foreach (var stored in group.SelectMany(batch => batch))
        {
            if (!newest.TryGetValue(stored.Uid, out var other) || other.Record.Version.Incarnation != stored.Record.Version.Incarnation || stored.Record.Version.IsNewerThan(other.Record.Version))
            {
                newest[stored.Uid] = stored;
            }
        }

        return newest;
    }

    private async Task<HashSet<Uid>> WriteAsync(Dictionary<Uid, StoredStatus> newest)
    {
        var overtaken = new HashSet<Uid>(Uid.Comparer);
        var written = new List<Uid>();
        var interruptions = keeper.Interruptions;
        foreach (var chunk in newest.Values.Chunk(Pipelined))
        {
            IReadOnlyList<StoredStatus> left = chunk;
            for (var round = 0; left.Count > 0; round++)
            {
                if (round == Rounds)
                {
                    throw new RedisAwayException("Keys change faster than they can be written, or while it is not sure yet that nothing was lost; they are written again.", isRefusal: false);
                }

                left = await WriteChunkAsync(left, written, overtaken);
            }
        }

        var ended = known.BeginLook();
        await keeper.ConfirmAsync(interruptions);
        known.Confirm(written, ended);
        return overtaken;
    }

    /// <returns>Those to write again, over a value that turned out to be no other program's status.</returns>
    private async Task<IReadOnlyList<StoredStatus>> WriteChunkAsync(IReadOnlyList<StoredStatus> chunk, List<Uid> written, HashSet<Uid> overtaken)
    {
        var begun = new List<(StoredStatus Stored, UInt128 Digest, TimeToLive Time)>(chunk.Count);
        var writes = new List<(Uid, UInt128, byte[], TimeToLive)>(chunk.Count);
        foreach (var stored in chunk)
        {
            var value = RedisStatusValue.Format(stored.Uid, stored.Record);
            var digest = RedisStatusValue.DigestOf(value);
            if (known.TryBeginWrite(stored.Uid, stored.Record, digest, out var expected, out var time))
            {
                begun.Add((stored, digest, time));
                writes.Add((stored.Uid, expected, value, time));
            }
        }

        RedisStatusKeys.Written[] results = [];
        try
        {
            results = await keys.WriteAsync(writes);
        }
        finally
        {
            foreach (var (index, (stored, digest, time)) in begun.Index())
            {
                var result = index < results.Length ? results[index] : default; // nobody knows
                known.EndWrite(stored.Uid, stored.Record, digest, result.IsDone, time.Left ?? result.Left);
                if (result.IsDone == true)
                {
                    written.Add(stored.Uid);
                }
            }
        }

        var look = known.BeginLook(); // each write was one, too
        if (results.FirstOrDefault(result => result.Failure is not null).Failure is { } failure)
        {
            throw failure;
        }

        var again = new List<StoredStatus>();
        (StoredStatus Stored, byte[]? There)[] others = [.. begun.Zip(results).Where(write => write.Second.IsDone == false).Select(write => (write.First.Stored, write.Second.There))];
        var doubtful = others.Where(other => !Sort(other.Stored, other.There, isIntact: false)).ToArray();
        if (doubtful.Length > 0)
        {
            if (!await keeper.IsIntactAsync())
            {
                throw RedisAwayException.Lost();
            }

            foreach (var (stored, there) in doubtful)
            {
                Sort(stored, there, isIntact: true);
            }
        }

        return again;

        bool Sort(StoredStatus stored, byte[]? there, bool isIntact)
        {
            switch (lookout.TakeInstead(stored, there, look, isIntact))
            {
                case Sight.Doubtful:
                    return false;
                case Sight.Foreign or Sight.Deleted:
                    overtaken.Add(stored.Uid);
                    break;
                case Sight.Later:
                    break; // another daemon's is newer: it stays, as in any store
                default:
                    again.Add(stored);
                    break;
            }

            return true;
        }
    }
}
