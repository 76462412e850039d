using System.Net.Security;

namespace StatusDaemon.Imitation;

/// <summary>The Kerberos library gave no ticket, and .NET tells little of why.</summary>
internal sealed class TicketException(NegotiateAuthenticationStatusCode status) : Exception(status.ToString())
{
    /// <summary>What .NET tells.</summary>
    public NegotiateAuthenticationStatusCode Status { get; } = status;
}
