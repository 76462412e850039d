namespace StatusDaemon.Auth;

/// <summary>What one request's credentials came to.</summary>
internal abstract record LoginOutcome
{
    private LoginOutcome()
    {
    }

    /// <summary>Somebody whom we know.</summary>
    /// <param name="Reply">Value of <c>WWW-Authenticate</c> that lets the client check who we are; null for none.</param>
    public sealed record Known(Caller Caller, string? Reply) : LoginOutcome;

    /// <summary>No credentials yet: the first round of a browser. 401.</summary>
    public sealed record Challenged : LoginOutcome;

    /// <summary>Bad credentials. 401, and the client may try again.</summary>
    public sealed record Refused(RefusalReason Reason, string Words) : LoginOutcome;

    /// <summary>Good credentials of somebody who has no business here. 403: trying again is of no use.</summary>
    /// <param name="Words">For the log and for the client.</param>
    public sealed record Forbidden(RefusalReason Reason, string Words) : LoginOutcome;

    /// <summary>Too many at the door. 503, soon again.</summary>
    public sealed record Busy : LoginOutcome;

    /// <summary>Our fault. 503.</summary>
    public sealed record Broken(string Words) : LoginOutcome;
}
