using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace StatusDaemon.Storage;

/// <summary>A thread of its own for work that blocks on the disk, so that a slow disk never holds a thread that routes statuses.</summary>
/// <remarks>Jobs run one after another in the order of their calls. Disposing finishes those that wait, then ends the thread.</remarks>
internal sealed class StoreThread : IAsyncDisposable
{
    private const int WaitingJobs = 64;

    // Full: callers wait for room. Each of them waits for its result anyway.
    private readonly Channel<Action> jobs = Channel.CreateBounded<Action>(new BoundedChannelOptions(WaitingJobs) { SingleReader = true });
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Starts the thread.</summary>
    /// <param name="name">Shown by debuggers and, up to 15 characters, by <c>top -H</c>.</param>
    public StoreThread(string name) => new Thread(Run) { Name = name, IsBackground = true }.Start();

    /// <summary>Runs a job and hands back its result or exception. A job that has begun is not cancelled.</summary>
    public async Task<T> RunAsync<T>(Func<T> job, CancellationToken stop)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            await jobs.Writer.WriteAsync(() => Finish(job, done, stop), stop);
        }
        catch (ChannelClosedException)
        {
            throw new ObjectDisposedException(nameof(StoreThread));
        }

        return await done.Task;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        jobs.Writer.TryComplete();
        await ended.Task;
    }

    private static void Finish<T>(Func<T> job, TaskCompletionSource<T> done, CancellationToken stop)
    {
        if (stop.IsCancellationRequested)
        {
            done.SetCanceled(stop);
            return;
        }

        try
        {
            done.SetResult(job());
        }
        catch (Exception failure) // Whatever it is, it belongs to the caller who waits for the result.
        {
            done.SetException(failure);
        }
    }

    [SuppressMessage("Usage", "VSTHRD002", Justification = "This thread exists to block; no task needs it to go on.")]
    private void Run()
    {
        while (jobs.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (jobs.Reader.TryRead(out var job))
            {
                job();
            }
        }

        ended.SetResult();
    }
}
