using System.Threading.Channels;
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

    // Full: callers wait for room. Whoever waits has its newer statuses conflated meanwhile.
    private readonly Channel<Request> requests = Channel.CreateBounded<Request>(new BoundedChannelOptions(WaitingRequests) { SingleReader = true });
    private readonly RedisStatusKeys keys;
    private readonly KnownValues known;
    private readonly RedisLookout lookout;
    private readonly RedisKeeper keeper;
    private readonly Task loop;

    /// <summary>Starts the loop.</summary>
    public RedisWriter(RedisStatusKeys keys, KnownValues known, RedisLookout lookout, RedisKeeper keeper)
    {
        this.keys = keys;
        this.known = known;
        this.lookout = lookout;
        this.keeper = keeper;
        loop = WriteWhatWaitsAsync();
    }

    /// <inheritdoc cref="IStatusStore.WriteAsync"/>
    public async Task<IReadOnlyList<StoredStatus>> WriteAsync(IReadOnlyList<StoredStatus> batch, CancellationToken stop)
    {
        if (!batch.All(stored => stored.IsComplete))
        {
            throw new ArgumentException("A record without version, status or source was never accepted.", nameof(batch));
        }

        var request = new Request(batch, stop);
        try
        {
            await requests.Writer.WriteAsync(request, stop);
        }
        catch (ChannelClosedException)
        {
            throw new ObjectDisposedException(nameof(RedisStatusStore));
        }

        return await request.Done.Task;
    }

    /// <summary>Writes what waits, if Redis is there, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        requests.Writer.TryComplete();
        await loop;
    }

    private async Task WriteWhatWaitsAsync()
    {
        while (await requests.Reader.WaitToReadAsync())
        {
            var group = new List<Request>();
            while (group.Count < WaitingRequests && requests.Reader.TryRead(out var request))
            {
                if (request.Stop.IsCancellationRequested)
                {
                    request.Done.SetCanceled(request.Stop);
                }
                else
                {
                    group.Add(request);
                }
            }

            await FinishAsync(group);
        }
    }

    private async Task FinishAsync(List<Request> group)
    {
        try
        {
            var overtaken = await keeper.WriteAsync(() => WriteAsync(NewestOf(group)));
            foreach (var request in group)
            {
                request.Done.SetResult([.. request.Batch.Where(stored => overtaken.Contains(stored.Uid))]);
            }
        }
        catch (RedisAwayException e)
        {
            keeper.Suspect();
            group.ForEach(request => request.Done.TrySetException(new StoreException(e.Message, e)));
        }
        catch (Exception e) // Whatever it is, it belongs to the callers who wait.
        {
            group.ForEach(request => request.Done.TrySetException(e));
        }
    }

    private static Dictionary<Uid, StoredStatus> NewestOf(List<Request> group)
    {
        var newest = new Dictionary<Uid, StoredStatus>(Uid.Comparer);
        foreach (var stored in group.SelectMany(request => request.Batch))
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
        var begun = new List<(StoredStatus Stored, UInt128 Digest)>(chunk.Count);
        var writes = new List<(Uid, UInt128, byte[], bool)>(chunk.Count);
        foreach (var stored in chunk)
        {
            var value = RedisStatusValue.Format(stored.Uid, stored.Record);
            var digest = RedisStatusValue.DigestOf(value);
            if (known.TryBeginWrite(stored.Uid, stored.Record, digest, out var expected, out var keepsTime))
            {
                begun.Add((stored, digest));
                writes.Add((stored.Uid, expected, value, keepsTime));
            }
        }

        var results = await keys.WriteAsync(writes);
        foreach (var ((stored, digest), result) in begun.Zip(results))
        {
            known.EndWrite(stored.Uid, stored.Record, digest, result.IsDone);
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
        foreach (var ((stored, _), result) in begun.Zip(results).Where(write => write.Second.IsDone == false))
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
                throw new RedisAwayException("The database was lost.", isRefusal: false);
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

    private sealed record Request(IReadOnlyList<StoredStatus> Batch, CancellationToken Stop)
    {
        public TaskCompletionSource<IReadOnlyList<StoredStatus>> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
