using System.Net;
using System.Net.Http.Headers;

namespace StatusDaemon.Imitation;

/// <summary>Keeps the server's words when it refuses an upgrade; <see cref="System.Net.WebSockets.ClientWebSocket"/> drops them.</summary>
internal sealed class RefusalReader(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    private const int MaxChars = 500;

    /// <summary>The status of the refusal; null where there was none.</summary>
    public HttpStatusCode? Refused { get; private set; }

    /// <summary>The body of the refusal, cut to a length that fits a sentence.</summary>
    public string? Reason { get; private set; }

    /// <summary>The header <c>Retry-After</c> of the refusal.</summary>
    public RetryConditionHeaderValue? RetryAfter { get; private set; }

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        if (response.StatusCode != HttpStatusCode.SwitchingProtocols && !response.IsSuccessStatusCode)
        {
            Refused = response.StatusCode;
            RetryAfter = response.Headers.RetryAfter;
            var body = await response.Content.ReadAsStringAsync(cancellationToken);
            Reason = body.Length > MaxChars ? body[..MaxChars] : body;
        }

        return response;
    }
}
