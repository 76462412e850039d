using System.Threading.Channels;

namespace StatusDaemon.Storage;

/// <summary>Requests of many callers, carried out in groups: what is asked for while one group is on its way is the next one.</summary>
/// <remarks>One group at a time, in the order of the calls. If it fails, all that shared it fail alike. What was cancelled before its group began is not done.</remarks>
internal sealed class RequestGroups<TRequest, TResult> : IAsyncDisposable
{
    private readonly int capacity;
    private readonly string owner;
    private readonly Func<IReadOnlyList<TRequest>, Task<IReadOnlyList<TResult>>> run;

    // Full: callers wait for room. Whoever waits has its newer statuses conflated meanwhile, so nothing piles up behind it.
    private readonly Channel<Request> requests;
    private readonly Task loop;

    /// <summary>Starts the loop.</summary>
    /// <param name="capacity">Most requests that wait, and that are in a group.</param>
    /// <param name="owner">Whose they are: who calls after the end is told that this was disposed.</param>
    /// <param name="run">Carries out a group, and gives a result for each request, in their order.</param>
    public RequestGroups(int capacity, string owner, Func<IReadOnlyList<TRequest>, Task<IReadOnlyList<TResult>>> run)
    {
        this.capacity = capacity;
        this.owner = owner;
        this.run = run;
        requests = Channel.CreateBounded<Request>(new BoundedChannelOptions(capacity) { SingleReader = true });
        loop = RunWhatWaitsAsync();
    }

    /// <summary>Asks for something, and waits until its group was carried out.</summary>
    public async Task<TResult> SubmitAsync(TRequest asked, CancellationToken stop)
    {
        var request = new Request(asked, stop);
        try
        {
            await requests.Writer.WriteAsync(request, stop);
        }
        catch (ChannelClosedException)
        {
            throw new ObjectDisposedException(owner);
        }

        return await request.Done.Task;
    }

    /// <summary>Carries out what waits, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        requests.Writer.TryComplete();
        await loop;
    }

    private async Task RunWhatWaitsAsync()
    {
        while (await requests.Reader.WaitToReadAsync())
        {
            var group = new List<Request>();
            while (group.Count < capacity && requests.Reader.TryRead(out var request))
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
            var results = await run(group.ConvertAll(request => request.Asked));
            foreach (var (request, result) in group.Zip(results))
            {
                request.Done.SetResult(result);
            }
        }
        catch (Exception failure) // Whatever it is, it belongs to the callers who wait.
        {
            group.ForEach(request => request.Done.TrySetException(failure));
        }
    }

    private sealed record Request(TRequest Asked, CancellationToken Stop)
    {
        public TaskCompletionSource<TResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
