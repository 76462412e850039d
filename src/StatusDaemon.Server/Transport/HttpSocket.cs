using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;

namespace StatusDaemon.Transport;

/// <summary>A socket while Kestrel speaks HTTP on it: fills one pipe and empties another. Everything happens on the loop.</summary>
internal sealed class HttpSocket : LoopSocket
{
    private readonly Gate readable = new();
    private readonly Gate writable = new();
    private readonly PipeWriter input;
    private readonly PipeReader output;
    private readonly Action closed;
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Func<LoopSocket>? next;
    private bool isReceiving = true;
    private bool isClosedReported;
    private bool isEnded;

    /// <param name="input">What the peer sends goes there.</param>
    /// <param name="output">What it is to get comes from there.</param>
    /// <param name="closed">
    /// Called once when the peer is gone or all is over, unless the socket was left to another. A peer that only sends no more is not gone: Kestrel would end the
    /// connection, and with it what is still to be sent.
    /// </param>
    public HttpSocket(SocketLoop loop, int number, PipeWriter input, PipeReader output, Action closed)
        : base(loop, number)
    {
        this.input = input;
        this.output = output;
        this.closed = closed;
    }

    /// <summary>Ends when both pipes have ended and the socket is closed, or left to another.</summary>
    public Task Ended => ended.Task;

    /// <summary>Begins to work.</summary>
    public void Begin()
    {
        Loop.Add(this, Readiness.Readable | Readiness.Writable | Readiness.PeerEnded | Readiness.OnChange);
        _ = RunAsync();
    }

    /// <summary>Receives no more, which ends the input pipe, and leaves the socket to another when all output is sent.</summary>
    /// <param name="successor">Makes who comes next; called on the loop.</param>
    /// <returns>False if there is no socket any more; then nobody comes next.</returns>
    public bool LeaveTo(Func<LoopSocket> successor)
    {
        if (isEnded)
        {
            return false;
        }

        next = successor;
        StopReceiving();
        return true;
    }

    /// <summary>Ends the connection at once; nothing happens if it has ended, or was left to another.</summary>
    public void Abort()
    {
        if (isEnded || next is not null)
        {
            return;
        }

        NativeSocket.Shutdown(Number);
        output.CancelPendingRead();
        StopReceiving();
        writable.Open();
    }

    /// <summary>Whether the kernel has said that the peer sends no more; there may be bytes before that, and it is not reported again.</summary>
    public bool IsPeerEnding { get; private set; }

    /// <inheritdoc/>
    public override void OnReady(Readiness what)
    {
        IsPeerEnding |= (what & (Readiness.PeerEnded | Readiness.Broken)) != 0;
        if ((what & (Readiness.Readable | Readiness.PeerEnded | Readiness.Broken)) != 0)
        {
            readable.Open();
        }

        if ((what & (Readiness.Writable | Readiness.Broken)) != 0)
        {
            writable.Open();
        }
    }

    private async Task RunAsync()
    {
        var receiving = ReceiveAsync();
        await SendAsync();
        if (next is null)
        {
            NativeSocket.Shutdown(Number); // the receiving side sees it
            StopReceiving();
        }

        await receiving;
        ReportClosed();
        isEnded = true;
        if (next is not null)
        {
            Loop.Replace(this, next());
        }
        else
        {
            Loop.Close(this);
        }

        ended.SetResult();
    }

    private void StopReceiving()
    {
        isReceiving = false;
        input.CancelPendingFlush();
        readable.Open();
    }

    private async Task ReceiveAsync()
    {
        try
        {
            await readable;
            while (isReceiving && await ReceiveSomeAsync())
            {
                // There may be more.
            }
        }
        catch (Exception e) when (IsAborted(e))
        {
            // Kestrel reads no more.
        }

        await input.CompleteAsync();
    }

    private void ReportClosed()
    {
        if (!isClosedReported && next is null)
        {
            isClosedReported = true;
            closed();
        }
    }

    /// <returns>False if nothing more comes, or nobody takes it.</returns>
    private async ValueTask<bool> ReceiveSomeAsync()
    {
        var received = NativeSocket.Receive(Number, Loop.Room);
        if (received == (int)NativeSocket.Failure.Later)
        {
            await readable;
            return true;
        }

        if (received <= 0)
        {
            if (received < 0)
            {
                ReportClosed();
            }

            return false;
        }

        input.Write(Loop.Room[..received]);
        if ((await input.FlushAsync()).IsCompleted)
        {
            return false;
        }

        if (received < Loop.Room.Length && !IsPeerEnding)
        {
            await readable; // it had no more; what comes is reported
        }

        return true;
    }

    private async Task SendAsync()
    {
        try
        {
            while (true)
            {
                var read = await output.ReadAsync();
                var isGone = read.IsCanceled || !await SendAsync(read.Buffer);
                output.AdvanceTo(read.Buffer.End);
                if (isGone || read.IsCompleted)
                {
                    break;
                }
            }
        }
        catch (Exception e) when (IsAborted(e))
        {
            // Kestrel writes no more.
        }

        await output.CompleteAsync();
    }

    /// <returns>False if the peer is gone.</returns>
    private async ValueTask<bool> SendAsync(ReadOnlySequence<byte> buffer)
    {
        foreach (var segment in buffer)
        {
            for (var rest = segment; !rest.IsEmpty;)
            {
                var sent = NativeSocket.Send(Number, rest.Span);
                if (sent == (int)NativeSocket.Failure.Later)
                {
                    await writable;
                }
                else if (sent < 0)
                {
                    return false;
                }
                else
                {
                    rest = rest[sent..];
                }
            }
        }

        return true;
    }

    // What an end of a pipe throws when Kestrel ended the other with a reason.
    private static bool IsAborted(Exception e) => e is IOException or OperationCanceledException or ConnectionAbortedException or InvalidOperationException;
}
