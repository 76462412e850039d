using StatusDaemon.Protocol;

namespace StatusDaemon.Gateway;

/// <summary>One WebSocket, as what writes to it sees it. Only the loop that owns the connection calls it.</summary>
internal interface IFrameSink
{
    /// <summary>Takes a whole frame, to be sent with the next <see cref="Flush"/>.</summary>
    /// <param name="frame">Shared with all other recipients: nobody changes it.</param>
    /// <returns>False if enough waits already: nothing of it was taken.</returns>
    bool TryWrite(byte[] frame);

    /// <summary>Sends what was taken.</summary>
    /// <returns>False if the peer does not read fast enough: write nothing until the sink reports to its loop that it has drained.</returns>
    bool Flush();

    /// <summary>Whether the peer is known to send no more; there may be bytes from before that. Nobody knows where nothing else is said.</summary>
    bool HasPeerLeft => false;

    /// <summary>Takes nothing more from the peer, so that its own kernel holds it up: enough answers wait for it.</summary>
    void Pause();

    /// <summary>Takes from the peer again.</summary>
    void Resume();

    /// <summary>Sends a close frame behind what was taken, waits a little for the peer's, and ends the connection. Nothing is written afterwards.</summary>
    void Close(CloseCode code, string reason);
}
