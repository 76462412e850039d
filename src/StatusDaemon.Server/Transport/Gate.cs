using System.Runtime.CompilerServices;

namespace StatusDaemon.Transport;

/// <summary>Lets one asynchronous method of a loop wait until something was reported; what was reported before is not lost.</summary>
/// <remarks>Everything about it happens on one loop, and whoever waits goes on inside <see cref="Open"/>.</remarks>
internal sealed class Gate : ICriticalNotifyCompletion
{
    private Action? waiter;
    private bool isOpen;

    /// <summary>Whether it need not be waited for.</summary>
    public bool IsCompleted => isOpen;

    /// <summary>Lets who waits go on, or who comes next.</summary>
    public void Open()
    {
        isOpen = true;
        var next = waiter;
        waiter = null;
        next?.Invoke();
    }

    /// <summary>For <c>await</c>.</summary>
    public Gate GetAwaiter() => this;

    /// <summary>For <c>await</c>: passes, and closes it again.</summary>
    public void GetResult() => isOpen = false;

    /// <inheritdoc/>
    public void OnCompleted(Action continuation) => waiter = continuation;

    /// <inheritdoc/>
    public void UnsafeOnCompleted(Action continuation) => waiter = continuation;
}
