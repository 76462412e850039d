using System.Runtime.CompilerServices;
using StatusDaemon.Names;

namespace StatusDaemon.Storage;

/// <summary>A real store whose scans are counted, and held up or made to fail where a test says so.</summary>
internal sealed class WatchedStore(IStatusStore real) : IStatusStore
{
    private readonly TaskCompletionSource held = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource givenUp = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? hold;
    private int scans;
    private int scansNow;
    private volatile bool overlapped;

    public ulong Incarnation => real.Incarnation;

    public ExternalStatuses External => real.External;

    public long Losses => real.Losses;

    public string? Trouble => real.Trouble;

    public int Scans => Volatile.Read(ref scans);

    /// <summary>Whether two scans ever ran at once.</summary>
    public bool ScansOverlapped => overlapped;

    /// <summary>Thrown by scans instead of records while it is set.</summary>
    public Exception? FailNextScan { get; set; }

    /// <summary>Thrown instead of an epoch while it is set.</summary>
    public Exception? FailEpochs { get; set; }

    /// <summary>Called on the thread of a shard that begins.</summary>
    public Action? HoldUpOwner { get; set; }

    /// <summary>Thrown by writes while it is set.</summary>
    public Exception? FailWrites { get; set; }

    /// <summary>Ends when a scan has read its first record and is held there.</summary>
    public Task ScanHeld => held.Task;

    /// <summary>Ends when a held scan was cancelled.</summary>
    public Task ScanGivenUp => givenUp.Task;

    public void HoldScansAfterTheFirstRecord() => hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void ReleaseScans() => hold!.SetResult();

    public async IAsyncEnumerable<StoredStatus> ScanAsync([EnumeratorCancellation] CancellationToken stop)
    {
        Interlocked.Increment(ref scans);
        if (Interlocked.Increment(ref scansNow) > 1)
        {
            overlapped = true;
        }

        try
        {
            if (FailNextScan is { } failure)
            {
                throw failure;
            }

            await foreach (var stored in real.ScanAsync(stop))
            {
                await HoldUpAsync(stop);
                yield return stored;
            }
        }
        finally
        {
            Interlocked.Decrement(ref scansNow);
        }
    }

    public Task<long> NextEpochAsync(long above, CancellationToken stop) => FailEpochs is { } failure ? Task.FromException<long>(failure) : real.NextEpochAsync(above, stop);

    public void Own(int shard, long epoch)
    {
        HoldUpOwner?.Invoke();
        real.Own(shard, epoch);
    }

    public void Disown(int shard, long epoch) => real.Disown(shard, epoch);

    public Task<IReadOnlyList<StoredStatus>> ReadAsync(IReadOnlyList<Uid> uids, CancellationToken stop) => real.ReadAsync(uids, stop);

    public Task<IReadOnlyList<StoredStatus>> WriteAsync(IReadOnlyList<StoredStatus> batch, CancellationToken stop) =>
        FailWrites is { } failure ? Task.FromException<IReadOnlyList<StoredStatus>>(failure) : real.WriteAsync(batch, stop);

    public ValueTask DisposeAsync() => real.DisposeAsync();

    private async Task HoldUpAsync(CancellationToken stop)
    {
        if (hold is null)
        {
            return;
        }

        held.TrySetResult();
        try
        {
            await hold.Task.WaitAsync(stop);
        }
        catch (OperationCanceledException)
        {
            givenUp.SetResult();
            throw;
        }
    }
}
