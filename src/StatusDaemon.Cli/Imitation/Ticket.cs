using System.Net.Http.Headers;
using System.Net.Security;
using StatusDaemon.Language;

namespace StatusDaemon.Imitation;

/// <summary>One proof of who we are, for one request: servers refuse a token that they have seen.</summary>
internal sealed class Ticket : IDisposable
{
    private const string Scheme = "Negotiate";

    private readonly NegotiateAuthentication exchange;
    private readonly string token;

    private Ticket(NegotiateAuthentication exchange, string token)
    {
        this.exchange = exchange;
        this.token = token;
    }

    /// <summary>The value of the header <c>Authorization</c>.</summary>
    public string Authorization => Scheme + " " + token;

    /// <summary>Asks the Kerberos library for a token; it may ask the KDC first.</summary>
    /// <param name="serviceName">As <c>HTTP@host</c>.</param>
    /// <exception cref="TicketException">There is no ticket to be had.</exception>
    /// <exception cref="CommandFailedException">There is no Kerberos library.</exception>
    public static Ticket For(string serviceName)
    {
        var exchange = Begin(serviceName);
        var first = exchange.GetOutgoingBlob("", out var status);
        if (status is NegotiateAuthenticationStatusCode.ContinueNeeded or NegotiateAuthenticationStatusCode.Completed && first is not null)
        {
            return new Ticket(exchange, first);
        }

        exchange.Dispose();
        throw new TicketException(status);
    }

    /// <summary>Whether the server has proved that it holds the key of the service (RFC 4559 §4.2).</summary>
    /// <param name="answers">The values of the response's <c>WWW-Authenticate</c>.</param>
    public bool IsAnsweredBy(IEnumerable<string> answers)
    {
        var answer = answers
            .Select(value => AuthenticationHeaderValue.TryParse(value, out var header) ? header : null)
            .FirstOrDefault(header => string.Equals(header?.Scheme, Scheme, StringComparison.OrdinalIgnoreCase));
        if (string.IsNullOrEmpty(answer?.Parameter))
        {
            return false;
        }

        _ = exchange.GetOutgoingBlob(answer.Parameter, out var status);
        return status == NegotiateAuthenticationStatusCode.Completed;
    }

    /// <inheritdoc/>
    public void Dispose() => exchange.Dispose();

    private static NegotiateAuthentication Begin(string serviceName)
    {
        try
        {
            return new NegotiateAuthentication(new NegotiateAuthenticationClientOptions
            {
                Package = Scheme,
                TargetName = serviceName.Replace('@', '/'),
                RequireMutualAuthentication = true,
            });
        }
        catch (TypeInitializationException)
        {
            throw new CommandFailedException(Text.GssMissing);
        }
    }
}
