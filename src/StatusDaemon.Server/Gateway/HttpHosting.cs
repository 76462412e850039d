using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using StatusDaemon.Transport;

namespace StatusDaemon.Gateway;

/// <summary>Kestrel as the gateway needs it, and its endpoints.</summary>
internal static class HttpHosting
{
    /// <summary>An Active Directory ticket with many groups passes Kestrel's 32 KB; above this it answers 431.</summary>
    private const int MaxHeaderBytes = 128 * 1024;

    /// <summary>A hundred dnames in one query pass Kestrel's 8 KB; the longest, percent-encoded, fit in this. Above it answers 414.</summary>
    private const int MaxRequestLineBytes = 160 * 1024;

    /// <summary>64 KB in the kernel each way, in place of megabytes: what waits there grows old instead of being overtaken. In a pipe as much as goes out at once.</summary>
    private static readonly TransportLimits TransportLimits = new(
        Backlog: 4096, Arrivals: 4096, SocketBufferBytes: 64 * 1024, UnsentBytes: 16 * 1024, PipeBytes: PipeSink.MaxPendingBytes);

    /// <summary>Configures the listener.</summary>
    public static void AddHttp(this WebApplicationBuilder builder, ServiceOptions options, X509Certificate2? certificate)
    {
        builder.Services.AddSingleton<IConnectionListenerFactory>(static provider => ActivatorUtilities.CreateInstance<LoopListenerFactory>(
            provider, provider.GetRequiredService<GatewayLoops>().All.Select(loop => loop.Sockets).ToArray(), TransportLimits));
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestHeadersTotalSize = MaxHeaderBytes;
            kestrel.Limits.MaxRequestLineSize = MaxRequestLineBytes;
            kestrel.Limits.RequestHeadersTimeout = options.Limits.Handshake;
            kestrel.Limits.KeepAliveTimeout = options.Limits.Handshake;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Listen(options.Host, options.Port, listen =>
            {
                // WebSockets over HTTP/2 would share one connection's flow control, and no client of ours asks for them.
                listen.Protocols = HttpProtocols.Http1;
                listen.Use(next => HandshakeDeadline.Middleware(
                    next, options.Limits.Handshake, listen.ApplicationServices.GetRequiredService<TimeProvider>(), listen.ApplicationServices.GetRequiredService<GatewayDrain>().Drained));
                if (certificate is null)
                {
                    listen.Use(Detachable.Offer);
                }
                else
                {
                    listen.UseHttps(new HttpsConnectionAdapterOptions { ServerCertificate = certificate, HandshakeTimeout = options.Limits.Handshake });
                    listen.Use(TlsBuffers.ReleaseWhileEmpty);
                }
            });
        });
    }

    /// <summary>Reads the certificate of <c>SERVICE.tls</c>.</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">A file does not hold what it should.</exception>
    public static X509Certificate2 Load(TlsOptions tls)
    {
        var password = tls.Password?.Reveal();
        if (tls.IsPkcs12)
        {
            return X509CertificateLoader.LoadPkcs12FromFile(tls.Certificate, password);
        }

        return password is null
            ? X509Certificate2.CreateFromPemFile(tls.Certificate, tls.Key)
            : X509Certificate2.CreateFromEncryptedPemFile(tls.Certificate, password, tls.Key);
    }

    /// <summary>Maps the endpoints; anything else is 404.</summary>
    public static void MapEndpoints(this WebApplication app)
    {
        var services = app.Services;
        var pubsub = services.GetRequiredService<PubSub>();
        var directory = services.GetRequiredService<DirectoryEndpoint>();
        var health = services.GetRequiredService<HealthEndpoints>();
        app.Run(async http =>
        {
            http.Features.Get<HandshakeDeadline>()!.Dispose();
            await ServeAsync(http);
            http.Features.Get<Arrivals.Arrival>()!.Dispose();
        });

        Task ServeAsync(HttpContext http) => (http.Request.Path.Value, http.Request.Method) switch
        {
            ("/pubsub", "GET") => pubsub.ServeAsync(http),
            ("/directory", "GET") => directory.ServeAsync(http),
            ("/healthz", "GET" or "HEAD") => HealthEndpoints.ServeHealthAsync(http),
            ("/readyz", "GET" or "HEAD") => health.ServeReadyAsync(http),
            ("/pubsub" or "/directory" or "/healthz" or "/readyz", _) => AnswerAsync(http, StatusCodes.Status405MethodNotAllowed),
            _ => AnswerAsync(http, StatusCodes.Status404NotFound),
        };
    }

    private static Task AnswerAsync(HttpContext http, int status)
    {
        http.Response.StatusCode = status;
        return Task.CompletedTask;
    }
}
