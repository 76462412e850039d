namespace StatusDaemon.Protocol;

/// <summary>Why a client's message was refused, whole; the connection stays open. Append-only: the text form is on the wire (docs/protocol.md §5).</summary>
public enum ErrorCode : byte
{
    /// <summary><c>bad-json</c>: not one JSON object. Give up: the client is broken.</summary>
    BadJson = 1,

    /// <summary><c>bad-message</c>: JSON, but an attribute is not of its form, repeated or out of range. Give up.</summary>
    BadMessage,

    /// <summary><c>unknown-status</c>: not 1 to 8. Give up.</summary>
    UnknownStatus,

    /// <summary><c>unknown-operation</c>: an event that is neither 9 nor 10. Give up.</summary>
    UnknownOperation,

    /// <summary><c>not-your-publisher</c>: <c>publisher</c> is not the sender's own UID. Give up.</summary>
    NotYourPublisher,

    /// <summary><c>not-local</c>: a subscriber of another domain may watch here, not publish. Publish at home.</summary>
    NotLocal,

    /// <summary><c>too-many-subscriptions</c>: the message would pass the limit of a connection. Unsubscribe first.</summary>
    TooManySubscriptions,

    /// <summary><c>rate-limited</c>: messages come faster than the limit. Send it again later.</summary>
    RateLimited,

    /// <summary><c>unavailable</c>: nothing of it could be kept. Send it again later.</summary>
    Unavailable,
}
