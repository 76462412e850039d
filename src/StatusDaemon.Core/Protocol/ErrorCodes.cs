using System.Diagnostics;

namespace StatusDaemon.Protocol;

/// <summary>The text forms of <see cref="ErrorCode"/>: docs/protocol.md §5.</summary>
public static class ErrorCodes
{
    /// <summary>How a code is written on the wire.</summary>
    public static string TextOf(ErrorCode code) => code switch
    {
        ErrorCode.BadJson => "bad-json",
        ErrorCode.BadMessage => "bad-message",
        ErrorCode.UnknownStatus => "unknown-status",
        ErrorCode.UnknownOperation => "unknown-operation",
        ErrorCode.NotYourPublisher => "not-your-publisher",
        ErrorCode.NotLocal => "not-local",
        ErrorCode.TooManySubscriptions => "too-many-subscriptions",
        ErrorCode.RateLimited => "rate-limited",
        ErrorCode.Unavailable => "unavailable",
        _ => throw new UnreachableException(),
    };
}
