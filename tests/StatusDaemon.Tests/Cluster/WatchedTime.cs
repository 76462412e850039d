using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace StatusDaemon.Cluster;

/// <summary>Time that a test moves, which tells the test when somebody begins to wait, and for how long.</summary>
internal sealed class WatchedTime : FakeTimeProvider
{
    private readonly Channel<TimeSpan> waits = Channel.CreateUnbounded<TimeSpan>(); // a test makes few

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        waits.Writer.TryWrite(dueTime);
        return timer;
    }

    /// <summary>Waits until somebody else waits for a time; half a minute at most, by the world's clock.</summary>
    public Task<TimeSpan> NextWaitAsync(CancellationToken stop) => waits.Reader.ReadAsync(stop).AsTask().WaitAsync(TimeSpan.FromSeconds(30), stop);
}
