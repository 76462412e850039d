namespace StatusDaemon.Protocol;

/// <summary>What <see cref="FrameReader.Read"/> found.</summary>
public enum FrameEvent
{
    /// <summary>The input is used up and nothing is complete: read more bytes.</summary>
    NeedsMore,

    /// <summary>A whole text message, valid UTF-8, in <see cref="FrameReader.Payload"/>.</summary>
    Text,

    /// <summary>A ping: answer with a pong of the same payload.</summary>
    Ping,

    /// <summary>A pong, asked for or not.</summary>
    Pong,

    /// <summary>The client closes: answer with <see cref="FrameReader.CloseCode"/>, then close the socket. Nothing follows.</summary>
    Close,

    /// <summary>The client broke a rule: close with <see cref="FrameReader.CloseCode"/> and <see cref="FrameReader.Reason"/>. Nothing follows.</summary>
    Refused,
}
