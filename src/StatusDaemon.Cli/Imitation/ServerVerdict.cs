using System.Net;
using StatusDaemon.Language;
using StatusDaemon.Protocol;

namespace StatusDaemon.Imitation;

/// <summary>Reads what the server meant by an HTTP status or a close code: docs/protocol.md §6.</summary>
internal static class ServerVerdict
{
    /// <summary>What follows from an answer that is neither an upgrade nor a success.</summary>
    /// <param name="reason">The server's own words; may be empty.</param>
    public static Ending Of(HttpStatusCode status, string? reason)
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
        var words = string.IsNullOrWhiteSpace(reason) ? "" : $" ({reason.Trim()})";
        var sentence = meaning.With((int)status) + words;
        return status is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout or >= HttpStatusCode.InternalServerError
            ? new Ending.Lost(sentence, Worked: false)
            : new Ending.Refused(sentence);
    }

    /// <summary>What follows from a close frame.</summary>
    /// <param name="code">Null where the connection broke without one.</param>
    /// <param name="reason">The server's own words; may be empty.</param>
    public static Ending Of(CloseCode? code, string? reason)
    {
        var words = string.IsNullOrWhiteSpace(reason) ? "" : $" ({reason.Trim()})";
        var sentence = Describe(code) + words;
        return code switch
        {
            CloseCode.Normal => new Ending.Done(),
            null or CloseCode.InternalError or CloseCode.ServiceRestart or CloseCode.TryAgainLater => new Ending.Lost(sentence, Worked: true),
            _ => new Ending.Refused(sentence),
        };
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
