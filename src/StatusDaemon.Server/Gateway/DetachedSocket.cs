using StatusDaemon.Protocol;
using StatusDaemon.Transport;

namespace StatusDaemon.Gateway;

/// <summary>A WebSocket after Kestrel has let go of it: a number of the kernel's, and nothing else while nobody speaks.</summary>
/// <remarks>All of it belongs to the loop. Frames of one turn go out in one call; what the kernel does not take is kept, and sent first when it takes again.</remarks>
internal sealed class DetachedSocket : LoopSocket, IFrameSink
{
    /// <summary>Most that waits for the end of a turn; what is above is owed.</summary>
    public const int MaxStagedBytes = 16 * 1024;

    private readonly GatewayLoop gateway;
    private ClientInput input;
    private int firstStaged;
    private int lastStaged;
    private int stagedBytes;
    private ReadOnlyMemory<byte> unsent;
    private bool hasBegun;
    private bool isPeerDone;
    private bool isReceiveDue;
    private bool isPaused;
    private bool mayBeEnding = true; // the peer's end may lie behind what is to be received: it is not reported again, and what Kestrel was told is not known

    public DetachedSocket(SocketLoop loop, int number, GatewayLoop gateway)
        : base(loop, number)
    {
        this.gateway = gateway;
    }

    /// <summary>Whose it is. The loop sets it before anything else happens.</summary>
    public Client Client { get; set; } = null!;

    /// <summary>Whether a close frame was sent, or is under way; nothing is written behind it.</summary>
    public bool IsClosed { get; private set; }

    /// <inheritdoc/>
    public bool HasPeerLeft { get; private set; }

    /// <inheritdoc/>
    public override void OnReady(Readiness what)
    {
        HasPeerLeft |= (what & (Readiness.PeerEnded | Readiness.Broken)) != 0;
        mayBeEnding |= HasPeerLeft;
        if ((what & (Readiness.Writable | Readiness.Broken)) != 0 && !unsent.IsEmpty)
        {
            SendRest();
        }

        if ((what & (Readiness.Readable | Readiness.PeerEnded | Readiness.Broken)) != 0)
        {
            Receive();
        }
    }

    /// <summary>Receives and takes what is there, up to one buffer; the rest is for the next turn.</summary>
    public void Receive()
    {
        isReceiveDue = false;
        if (!hasBegun || isPaused || isPeerDone || Slot < 0)
        {
            return;
        }

        var room = Loop.Room;
        var received = NativeSocket.Receive(Number, room);
        if (received == (int)NativeSocket.Failure.Later)
        {
            mayBeEnding = false;
            return;
        }

        if (received <= 0)
        {
            isPeerDone = true;
            unsent = received == 0 ? unsent : default; // it may read on; one that is gone will not
            gateway.Left(Client);
            EndIfDone();
            return;
        }

        Take(room[..received]);
        if (received == room.Length || mayBeEnding)
        {
            ReceiveNextTurn();
        }
    }

    /// <summary>Lets it receive in the next turn, whether or not anything is reported until then.</summary>
    public void ReceiveNextTurn()
    {
        if (!isReceiveDue)
        {
            isReceiveDue = true;
            gateway.ReceiveNextTurn(this);
        }
    }

    /// <summary>Begins to receive. What is reported of it before that waits.</summary>
    /// <param name="behind">What the client sent behind its handshake: older than all that is to be received.</param>
    public void Begin(ReadOnlySpan<byte> behind)
    {
        hasBegun = true;
        Take(behind);
        ReceiveNextTurn();
    }

    private void Take(ReadOnlySpan<byte> bytes)
    {
        isPeerDone |= gateway.Take(bytes, Client, ref input);
        EndIfDone();
    }

    /// <inheritdoc/>
    public bool TryWrite(byte[] frame)
    {
        if (IsClosed)
        {
            return true; // nobody reads it any more
        }

        if (stagedBytes > 0 && stagedBytes + frame.Length > MaxStagedBytes)
        {
            return false;
        }

        gateway.Stage.Append(frame, ref firstStaged, ref lastStaged);
        stagedBytes += frame.Length;
        return true;
    }

    /// <inheritdoc/>
    public bool Flush()
    {
        if (lastStaged != 0)
        {
            Send(firstStaged == lastStaged ? gateway.Stage[firstStaged] : Gather());
            (firstStaged, lastStaged, stagedBytes) = (0, 0, 0);
        }

        return unsent.IsEmpty;
    }

    /// <inheritdoc/>
    public void Pause() => isPaused = true;

    /// <inheritdoc/>
    public void Resume()
    {
        if (isPaused)
        {
            isPaused = false;
            ReceiveNextTurn(); // what came meanwhile is not reported again
        }
    }

    /// <inheritdoc/>
    public void Close(CloseCode code, string reason)
    {
        if (IsClosed)
        {
            return;
        }

        Resume(); // its close frame is waited for
        Flush();
        IsClosed = true;
        var frame = CloseFrame.Of(code, reason);
        if (unsent.IsEmpty)
        {
            Send(frame);
        }
        else
        {
            unsent = (byte[])[.. unsent.Span, .. frame];
        }

        gateway.Linger(Client);
        EndIfDone();
    }

    /// <summary>Ends it whatever the peer has taken and said.</summary>
    public void End()
    {
        if (Slot >= 0)
        {
            Loop.Close(this);
            Slot = -1;
            input.Unfinished?.Dispose();
            gateway.Gone();
        }
    }

    /// <summary>After both close frames, or when the peer is gone, nothing is to be waited for.</summary>
    private void EndIfDone()
    {
        if (IsClosed && isPeerDone && unsent.IsEmpty)
        {
            End();
        }
    }

    /// <summary>Puts the frames of the turn one behind the other.</summary>
    private ReadOnlySpan<byte> Gather()
    {
        var all = gateway.SendRoom;
        var length = 0;
        for (var number = firstStaged; number != 0; number = gateway.Stage.After(number))
        {
            var frame = gateway.Stage[number];
            frame.CopyTo(all[length..]);
            length += frame.Length;
        }

        return all[..length];
    }

    private void Send(ReadOnlySpan<byte> bytes)
    {
        var sent = NativeSocket.Send(Number, bytes);
        if (sent == (int)NativeSocket.Failure.Gone)
        {
            return; // the receiving side says so
        }

        sent = Math.Max(sent, 0);
        if (sent < bytes.Length)
        {
            unsent = bytes[sent..].ToArray();
        }
    }

    private void SendRest()
    {
        while (!unsent.IsEmpty)
        {
            var sent = NativeSocket.Send(Number, unsent.Span);
            if (sent == (int)NativeSocket.Failure.Later)
            {
                return;
            }

            unsent = sent < 0 ? default : unsent[sent..];
        }

        if (IsClosed)
        {
            EndIfDone();
        }
        else
        {
            gateway.Drained(Client);
        }
    }
}
