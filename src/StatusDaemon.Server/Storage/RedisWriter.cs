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

    private readonly RedisStatusKeys keys;
    private readonly KnownValues known;
    private readonly RedisLookout lookout;
    private readonly RedisKeeper keeper;
    private readonly RequestGroups<IReadOnlyList<StoredStatus>, IReadOnlyList<StoredStatus>> requests;

    /// <summary>Starts the loop.</summary>
    public RedisWriter(RedisStatusKeys keys, KnownValues known, RedisLookout lookout, RedisKeeper keeper)
    {
        this.keys = keys;
        this.known = known;
        this.lookout = lookout;
        this.keeper = keeper;
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
        try
        {
            var overtaken = await keeper.WriteAsync(() => WriteAsync(NewestOf(group)));
            return [.. group.Select(batch => (IReadOnlyList<StoredStatus>)[.. batch.Where(stored => overtaken.Contains(stored.Uid))])];
        }
        catch (RedisAwayException e)
        {
            keeper.Suspect();
            throw new StoreException(e.Message, e);
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
        foreach (var chunk in newest.Values.Chunk(Pipelined))
        {
            IReadOnlyList<StoredStatus> left = chunk;
            while (left.Count > 0)
            {
                left = await WriteChunkAsync(left, written, overtaken);
            }
        }

        if (written.Count > 0)
        {
            await keeper.ConfirmAsync();
            known.Confirm(written);
        }

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

        var results = await keys.WriteAsync(writes);
        foreach (var ((stored, digest, time), result) in begun.Zip(results))
        {
            known.EndWrite(stored.Uid, stored.Record, digest, result.IsDone, time.IsKept ? result.Left : time.Left);
            if (result.IsDone == true)
            {
                written.Add(stored.Uid);
            }
        }

        var look = known.BeginLook(); // each write was one, too
        if (results.FirstOrDefault(result => result.Failure is not null).Failure is { } failure)
        {
            throw failure;
        }

        var again = new List<StoredStatus>();
        var missing = new List<StoredStatus>();
        foreach (var ((stored, _, _), result) in begun.Zip(results).Where(write => write.Second.IsDone == false))
        {
            if (result.There is null)
            {
                missing.Add(stored);
            }
            else
            {
                Sort(stored, result.There);
            }
        }

        if (missing.Count > 0)
        {
            if (!await keeper.IsIntactAsync())
            {
                throw RedisAwayException.Lost();
            }

            foreach (var stored in missing)
            {
                Sort(stored, null);
            }
        }

        return again;

        void Sort(StoredStatus stored, byte[]? there)
        {
            switch (lookout.TakeInstead(stored, there, look))
            {
                case Sight.Foreign or Sight.Deleted:
                    overtaken.Add(stored.Uid);
                    break;
                case Sight.Later:
                    break; // another daemon's is newer: it stays, as in any store
                default:
                    again.Add(stored);
                    break;
            }
        }
    }
}
