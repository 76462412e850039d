using System.Collections.Frozen;
using Microsoft.Extensions.Primitives;

namespace StatusDaemon.Auth;

/// <summary>Which web pages may use the ticket of the user who looks at them: browsers add it by themselves, whoever wrote the page.</summary>
/// <param name="origins">As browsers write them (RFC 6454 §6.2): in lower case, without the scheme's own port.</param>
/// <remarks>RFC 6455 §10.2. What is no browser sends no <c>Origin</c> and is not asked for one.</remarks>
internal sealed class OriginPolicy(IEnumerable<string> origins)
{
    private readonly Lazy<FrozenSet<string>> allowed = new(() => origins.ToFrozenSet(StringComparer.Ordinal));

    /// <summary>The server's own origins: the hosts that it has service names for. Never from the header <c>Host</c>, which the client writes.</summary>
    /// <param name="port">Asked at the first request: a server that takes a free port knows it only once it listens.</param>
    public static OriginPolicy OfServer(IEnumerable<ServiceName> services, bool isTls, Func<int> port)
    {
        var (scheme, ownPort) = isTls ? ("https", 443) : ("http", 80);
        return new OriginPolicy(services.Select(service => $"{scheme}://{service.Host}{(port() == ownPort ? "" : $":{port()}")}"));
    }

    /// <summary>Whether a request with these values of <c>Origin</c> may go on.</summary>
    public bool Allows(StringValues origin) => origin switch
    {
        { Count: 0 } => true,
        [{ } one] => allowed.Value.Contains(one),
        _ => false,
    };
}
