using Microsoft.AspNetCore.Http;
using StatusDaemon.Names;
using StatusDaemon.Privileges;

namespace StatusDaemon.Auth;

/// <summary>Login by a header that everybody can write: for benchmarks on loopback, where making tickets would be what is measured.</summary>
/// <remarks>The settings refuse it anywhere else.</remarks>
internal sealed class TrustedHeaderLogin : ILogin
{
    /// <summary>The header that has the UID.</summary>
    public const string Header = "X-Status-Uid";

    /// <inheritdoc/>
    public string? Challenge => null;

    /// <inheritdoc/>
    public string? Problem => null;

    /// <inheritdoc/>
    public ValueTask<LoginOutcome> IdentifyAsync(HttpContext http, DirectorySnapshot directory) =>
        ValueTask.FromResult<LoginOutcome>(http.Request.Headers[Header] is [var text] && Uid.TryParse(text, out var uid)
            ? new LoginOutcome.Known(new Caller(directory.TryGet(uid, out var subscriber) ? subscriber.Uid : uid, default, IsKnown: subscriber is not null, TicketEnd: null), null)
            : new LoginOutcome.Refused(RefusalReason.BadHeader, $"the header {Header} is missing or is not one UID"));
}
