namespace StatusDaemon.Protocol;

/// <summary>What to answer to a request for a WebSocket, as an HTTP status.</summary>
public enum HandshakeAnswer
{
    /// <summary>Good: 101 with <c>Sec-WebSocket-Accept</c>.</summary>
    SwitchProtocols = 101,

    /// <summary>A broken <c>Sec-WebSocket-Key</c>.</summary>
    BadRequest = 400,

    /// <summary>No WebSocket, or not version 13: answer with <c>Upgrade: websocket</c> and <c>Sec-WebSocket-Version: 13</c>.</summary>
    UpgradeRequired = 426,
}
