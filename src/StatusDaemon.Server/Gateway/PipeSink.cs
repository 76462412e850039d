using System.IO.Pipelines;
using System.Net.Sockets;
using StatusDaemon.Protocol;

namespace StatusDaemon.Gateway;

/// <summary>Writes frames to a pipe of Kestrel's: plain sockets and TLS alike. What is pending goes out in one flush.</summary>
/// <param name="hasPeerLeft">Asked on the loop.</param>
/// <param name="drained">Called, on any thread, when a flush that had to wait is through.</param>
internal sealed class PipeSink(PipeWriter output, Func<bool> hasPeerLeft, Action drained) : IFrameSink
{
    /// <summary>Bytes that may wait for a flush, and again so many for the kernel's buffer: some hundred statuses that grow old there. What is above is owed, and overtaken.</summary>
    public const int MaxPendingBytes = 16 * 1024;

    private readonly TaskCompletionSource closing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task flushing = Task.CompletedTask;
    private TaskCompletionSource? pause;
    private int pendingBytes;
    private bool isClosed;

    /// <summary>Ends when the loop has closed the sink: it writes nothing any more, and the peer's time to take the rest begins.</summary>
    public Task Closing => closing.Task;

    /// <summary>Ends when the sink was closed and the close frame was handed to the peer's buffer, or never will be.</summary>
    public Task Closed => closed.Task;

    /// <summary>Ends when the peer may be read from. For any thread.</summary>
    public Task MayRead => Volatile.Read(ref pause)?.Task ?? Task.CompletedTask;

    /// <inheritdoc/>
    public bool HasPeerLeft => hasPeerLeft();

    /// <inheritdoc/>
    public bool TryWrite(byte[] frame)
    {
        if (isClosed)
        {
            return true; // nobody reads it any more
        }

        if (pendingBytes > 0 && pendingBytes + frame.Length > MaxPendingBytes)
        {
            return false;
        }

        try
        {
            frame.CopyTo(output.GetSpan(frame.Length));
            output.Advance(frame.Length);
            pendingBytes += frame.Length;
        }
        catch (Exception e) when (IsLost(e))
        {
            // As in Flush: the reading side says so.
        }

        return true;
    }

    /// <inheritdoc/>
    public bool Flush()
    {
        if (isClosed || pendingBytes == 0)
        {
            return true;
        }

        pendingBytes = 0;
        try
        {
            var flush = output.FlushAsync();
            if (flush.IsCompletedSuccessfully)
            {
                return true;
            }

            flushing = WaitAsync(flush);
            return false;
        }
        catch (Exception e) when (IsLost(e))
        {
            return true; // A pipe whose reader failed throws at once; the reading side says to the loop that the socket is gone.
        }
    }

    /// <inheritdoc/>
    public void Pause() => Volatile.Write(ref pause, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    /// <inheritdoc/>
    public void Resume()
    {
        pause?.TrySetResult();
        Volatile.Write(ref pause, null);
    }

    /// <inheritdoc/>
    public void Close(CloseCode code, string reason)
    {
        if (!isClosed)
        {
            isClosed = true;
            Resume(); // its close frame is waited for
            closing.SetResult();
            _ = CloseAsync(CloseFrame.Of(code, reason));
        }
    }

    private async Task WaitAsync(ValueTask<FlushResult> flush)
    {
        try
        {
            await flush;
        }
        catch (Exception e) when (IsLost(e))
        {
            // The socket is gone; its reading side says so to the loop.
        }

        drained();
    }

    /// <summary>Sends the close frame behind what the peer has not taken yet.</summary>
    private async Task CloseAsync(byte[] frame)
    {
        try
        {
            await flushing;
            await output.WriteAsync(frame);
        }
        catch (Exception e) when (IsLost(e))
        {
            // The peer left first.
        }

        closed.TrySetResult();
    }

    // What sockets, SslStream and a pipe whose other end failed throw.
    private static bool IsLost(Exception e) => e is IOException or SocketException or InvalidOperationException or OperationCanceledException;
}
