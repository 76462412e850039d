using StatusDaemon.Names;

namespace StatusDaemon.Auth;

/// <summary>What the acceptor says to one token.</summary>
internal abstract record GssOutcome
{
    private GssOutcome()
    {
    }

    /// <summary>A good ticket.</summary>
    /// <param name="Client">Whose it is.</param>
    /// <param name="Service">The principal that it is for, such as <c>HTTP/localhost@EXAMPLE.ORG</c>.</param>
    /// <param name="TicketEnd">When the ticket ends. Kerberos takes it for a while longer, since clocks may differ (5 minutes, unless krb5.conf says otherwise).</param>
    /// <param name="Reply">Proves to the client who we are; empty if it did not ask.</param>
    public sealed record Accepted(DName Client, string Service, DateTimeOffset TicketEnd, ReadOnlyMemory<byte> Reply) : GssOutcome;

    /// <summary>The client's fault.</summary>
    /// <param name="Words">Why, for the log; of all of them only a foreign realm is told to the client.</param>
    public sealed record Refused(RefusalReason Reason, string Words) : GssOutcome;

    /// <summary>Our fault: the keytab or the replay cache cannot be used. It may heal while running.</summary>
    public sealed record Broken(string Words) : GssOutcome;
}
