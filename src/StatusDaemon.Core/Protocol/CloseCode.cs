namespace StatusDaemon.Protocol;

/// <summary>Why the server closed a WebSocket: RFC 6455 §7.4 and the IANA registry. The meanings for clients: docs/protocol.md §6.</summary>
public enum CloseCode : ushort
{
    /// <summary>The client asked for it. Reconnect when there is a reason to.</summary>
    Normal = 1000,

    /// <summary>The server shuts down for good. Give up, or try another server.</summary>
    GoingAway = 1001,

    /// <summary>The client broke RFC 6455. Give up: the client is broken.</summary>
    ProtocolError = 1002,

    /// <summary>A binary frame; the protocol is text. Give up.</summary>
    UnsupportedData = 1003,

    /// <summary>Text that is not UTF-8. Give up.</summary>
    InvalidPayload = 1007,

    /// <summary>The subscriber was removed, or its ticket ended where that counts. Authenticate anew.</summary>
    PolicyViolation = 1008,

    /// <summary>A message over the size limit. Give up.</summary>
    MessageTooBig = 1009,

    /// <summary>Our fault; the log has the reason. Reconnect with back-off.</summary>
    InternalError = 1011,

    /// <summary>Restart or drain. Reconnect with jitter.</summary>
    ServiceRestart = 1012,

    /// <summary>Overload, or this reader made no progress for too long. Reconnect later, subscribe again.</summary>
    TryAgainLater = 1013,
}
