using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using StatusDaemon.Privileges;

namespace StatusDaemon.Auth;

/// <summary>Login with a Kerberos ticket, in the first request or after a 401.</summary>
internal sealed class NegotiateLogin(GssAcceptor acceptor) : ILogin, IDisposable
{
    /// <summary>Four processors' worth at most: more would only take them from those who are in already. Some 3,000 logins a second pass on two.</summary>
    private readonly LoginQueue queue = new(atOnce: Math.Clamp(Environment.ProcessorCount, 2, 4), most: 3000, longest: TimeSpan.FromSeconds(10));

    /// <inheritdoc/>
    public string Challenge => NegotiateHeader.Scheme;

    /// <inheritdoc/>
    public string? Problem => acceptor.Problem;

    /// <inheritdoc/>
    public async ValueTask<LoginOutcome> IdentifyAsync(HttpContext http, DirectorySnapshot directory)
    {
        if (!NegotiateHeader.TryRead(http.Request.Headers.Authorization, out var token, out var otherwise))
        {
            return otherwise;
        }

        // What can't be a token neither waits nor makes others wait.
        if (GssAcceptor.Glance(token) is { } garbage)
        {
            return new LoginOutcome.Refused(garbage.Reason, garbage.Words);
        }

        if (!await queue.TryEnterAsync(http.RequestAborted))
        {
            return new LoginOutcome.Busy();
        }

        GssOutcome answer;
        try
        {
            answer = acceptor.Accept(token);
        }
        finally
        {
            queue.Leave();
        }

        return answer switch
        {
            GssOutcome.Accepted accepted => Find(accepted, directory),
            GssOutcome.Refused { Reason: RefusalReason.ForeignRealm } foreign => new LoginOutcome.Forbidden(foreign.Reason, foreign.Words),
            GssOutcome.Refused refused => new LoginOutcome.Refused(refused.Reason, refused.Words),
            GssOutcome.Broken broken => new LoginOutcome.Broken(broken.Words),
            _ => throw new UnreachableException(),
        };
    }

    /// <inheritdoc/>
    public void Dispose() => queue.Dispose();

    private static LoginOutcome Find(GssOutcome.Accepted accepted, DirectorySnapshot directory) =>
        directory.TryGet(accepted.Client, out var subscriber)
            ? new LoginOutcome.Known(
                new Caller(subscriber.Uid, accepted.Client, IsKnown: true, accepted.TicketEnd),
                accepted.Reply.IsEmpty ? null : $"{NegotiateHeader.Scheme} {Convert.ToBase64String(accepted.Reply.Span)}")
            : new LoginOutcome.Forbidden(RefusalReason.NotSubscriber, $"{accepted.Client} is not a subscriber here.");
}
