using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using StatusDaemon.Privileges;

namespace StatusDaemon.Auth;

/// <summary>Login with a Kerberos ticket, in the first request or after a 401.</summary>
internal sealed class NegotiateLogin(GssAcceptor acceptor) : ILogin, IDisposable
{
    /// <summary>Longest wait for a turn; after it the client is told to come back.</summary>
    /// <remarks>Some 3,000 logins a second and two processors: 30,000 clients may come back at once before the last one is sent away.</remarks>
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(10);

    /// <summary>Tickets looked at side by side: more would only take the processors from those who are in already.</summary>
    private readonly SemaphoreSlim turns = new(Math.Clamp(Environment.ProcessorCount, 2, 4));

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

        if (!await turns.WaitAsync(MaxWait, http.RequestAborted))
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
            turns.Release();
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
    public void Dispose() => turns.Dispose();

    private static LoginOutcome Find(GssOutcome.Accepted accepted, DirectorySnapshot directory) =>
        directory.TryGet(accepted.Client, out var subscriber)
            ? new LoginOutcome.Known(
                new Caller(subscriber.Uid, subscriber, accepted.TicketEnd),
                accepted.Reply.IsEmpty ? null : $"{NegotiateHeader.Scheme} {Convert.ToBase64String(accepted.Reply.Span)}")
            : new LoginOutcome.Forbidden(RefusalReason.NotSubscriber, $"{accepted.Client} is not a subscriber here.");
}
