using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using StatusDaemon.Privileges;

namespace StatusDaemon.Auth;

/// <summary>The door of every endpoint that people log in to: lets known callers through and answers all others itself.</summary>
/// <remarks>Answers and codes: docs/protocol.md §2.3. Each refused login is logged once, with its reason in words and never with its token.</remarks>
internal sealed partial class Admission(ILogin login, OriginPolicy origins, LoginMetrics metrics, ILogger<Admission> log)
{
    private const int MaxOriginInWords = 100;

    private int putOff; // and not logged yet
    private long putOffLoggedAt = -1000;

    /// <summary>Finds out whose request it is. Call it before anything of the response is written, also before a WebSocket is accepted.</summary>
    /// <returns>
    /// The caller, with the reply of mutual authentication already among the response's headers, so that it goes out with the 101 or 200;
    /// or null: the request is answered, and there is nothing left to do with it.
    /// </returns>
    public async ValueTask<Caller?> AdmitAsync(HttpContext http, DirectorySnapshot directory)
    {
        var outcome = origins.Allows(http.Request.Headers.Origin)
            ? await login.IdentifyAsync(http, directory)
            : new LoginOutcome.Forbidden(RefusalReason.Origin, $"Pages of {Shorten(http.Request.Headers.Origin.ToString())} may not log in here; SERVICE.origins names those that may.");

        var from = http.Connection.RemoteIpAddress;
        switch (outcome)
        {
            case LoginOutcome.Known known:
                metrics.Accepted();
                if (known.Reply is not null)
                {
                    http.Response.Headers.WWWAuthenticate = known.Reply;
                }

                return known.Caller;

            case LoginOutcome.Challenged:
                metrics.Challenged();
                Ask(http.Response);
                return null;

            case LoginOutcome.Refused refused:
                metrics.Refused(refused.Reason);
                LogRefused(from, refused.Reason, refused.Words);
                Ask(http.Response);
                return null;

            case LoginOutcome.Forbidden forbidden:
                metrics.Refused(forbidden.Reason);
                LogForbidden(from, forbidden.Reason, forbidden.Words);
                await SayAsync(http, StatusCodes.Status403Forbidden, forbidden.Words);
                return null;

            case LoginOutcome.Busy:
                metrics.Busy();
                NotePutOff(from);
                http.Response.Headers.RetryAfter = RetryAfter.Jittered();
                await SayAsync(http, StatusCodes.Status503ServiceUnavailable, "Too many logins at once.");
                return null;

            case LoginOutcome.Broken broken:
                metrics.Broken();
                LogBroken(from, broken.Words);
                http.Response.Headers.RetryAfter = RetryAfter.Jittered();
                await SayAsync(http, StatusCodes.Status503ServiceUnavailable, "Logins are out of order here; the server's log says why.");
                return null;

            default:
                throw new UnreachableException();
        }
    }

    /// <summary>One line a second at most: in a storm there may be thousands.</summary>
    private void NotePutOff(IPAddress? from)
    {
        Interlocked.Increment(ref putOff);
        var now = Environment.TickCount64;
        var last = Interlocked.Read(ref putOffLoggedAt);
        if (now - last >= 1000 && Interlocked.CompareExchange(ref putOffLoggedAt, now, last) == last)
        {
            LogBusy(Interlocked.Exchange(ref putOff, 0), from);
        }
    }

    /// <summary>401 with nothing but the challenge, on a connection that stays open: browsers send the ticket on it.</summary>
    private void Ask(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status401Unauthorized;
        response.ContentLength = 0;
        if (login.Challenge is not null)
        {
            response.Headers.WWWAuthenticate = login.Challenge;
        }
    }

    private static string Shorten(string origin) => origin.Length <= MaxOriginInWords ? origin : origin[..MaxOriginInWords] + "…";

    private static Task SayAsync(HttpContext http, int status, string words)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "text/plain; charset=utf-8";
        return http.Response.WriteAsync(words + "\n", http.RequestAborted);
    }

    [LoggerMessage(1501, LogLevel.Warning, "Login from {From} refused ({Reason}): {Words}")]
    private partial void LogRefused(IPAddress? from, RefusalReason reason, string words);

    [LoggerMessage(1502, LogLevel.Warning, "Login from {From} forbidden ({Reason}): {Words}")]
    private partial void LogForbidden(IPAddress? from, RefusalReason reason, string words);

    [LoggerMessage(1503, LogLevel.Warning, "{Count} logins were put off, the last from {From}: too many at once")]
    private partial void LogBusy(int count, IPAddress? from);

    [LoggerMessage(1504, LogLevel.Error, "Nobody can log in; {From} has just tried: {Words}")]
    private partial void LogBroken(IPAddress? from, string words);
}
