using System.Net;
using System.Net.Http.Headers;
using StatusDaemon.Language;
using StatusDaemon.Protocol;

namespace StatusDaemon.Imitation;

/// <summary>Reads what the server meant by an HTTP status or a close code: docs/protocol.md §2.3, §6 and §13.</summary>
internal static class ServerVerdict
{
    /// <summary>More than any server means: a wait beyond it would never end.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromDays(1);

    /// <summary>What follows from an answer that is neither an upgrade nor a success.</summary>
    /// <param name="reason">The server's own words; may be empty.</param>
    /// <param name="retryAfter">When to come back, if it says.</param>
    public static Ending Of(HttpStatusCode status, string? reason, RetryConditionHeaderValue? retryAfter)
    {
        var meaning = status switch
        {
            HttpStatusCode.Unauthorized => Text.Http401,
            HttpStatusCode.Forbidden => Text.Http403,
            HttpStatusCode.NotFound => Text.Http404,
            HttpStatusCode.TooManyRequests => Text.Http429,
            HttpStatusCode.ServiceUnavailable => Text.Http503,
            _ => Text.HttpOther,
        };
        var sentence = WithWords(meaning.With((int)status), reason);
        return status switch
        {
            HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable => new Ending.Lost(sentence, Pause(retryAfter) ?? BackOff.Overloaded),
            HttpStatusCode.RequestTimeout or >= HttpStatusCode.InternalServerError => new Ending.Lost(sentence, Pause(retryAfter) ?? TimeSpan.Zero),
            _ => new Ending.Refused(sentence, OnceMore: status == HttpStatusCode.Unauthorized),
        };
    }

    /// <summary>What follows from a close frame.</summary>
    /// <param name="code">Null where the connection broke without one.</param>
    /// <param name="reason">The server's own words; may be empty.</param>
    public static Ending Of(CloseCode? code, string? reason)
    {
        // Of these two the words say what the code says, in English.
        var sentence = code is CloseCode.GoingAway or CloseCode.ServiceRestart ? Describe(code) : WithWords(Describe(code), reason);
        return code switch
        {
            CloseCode.Normal => new Ending.Done(),
            CloseCode.TryAgainLater => new Ending.Lost(sentence, BackOff.Overloaded),
            null or CloseCode.InternalError or CloseCode.ServiceRestart => new Ending.Lost(sentence, ServerRestarts: code is null or CloseCode.ServiceRestart),
            _ => new Ending.Refused(sentence, OnceMore: code == CloseCode.PolicyViolation),
        };
    }

    private static string WithWords(string meaning, string? reason) =>
        string.IsNullOrWhiteSpace(reason) ? meaning : $"{meaning} {Text.ServerSays.With(reason.Trim())}";

    private static TimeSpan? Pause(RetryConditionHeaderValue? retryAfter)
    {
        var pause = retryAfter?.Delta ?? retryAfter?.Date - DateTimeOffset.UtcNow;
        return pause is { } asked ? TimeSpan.FromTicks(Math.Clamp(asked.Ticks, 0, LongestPause.Ticks)) : null;
    }

    private static string Describe(CloseCode? code) => code switch
    {
        null => Text.CloseNone,
        CloseCode.Normal => Text.Close1000,
        CloseCode.GoingAway => Text.Close1001,
        CloseCode.ProtocolError => Text.Close1002,
        CloseCode.UnsupportedData => Text.Close1003,
        CloseCode.InvalidPayload => Text.Close1007,
        CloseCode.PolicyViolation => Text.Close1008,
        CloseCode.MessageTooBig => Text.Close1009,
        CloseCode.InternalError => Text.Close1011,
        CloseCode.ServiceRestart => Text.Close1012,
        CloseCode.TryAgainLater => Text.Close1013,
        _ => Text.CloseOther.With((int)code),
    };
}
