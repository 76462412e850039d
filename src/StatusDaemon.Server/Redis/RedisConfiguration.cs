using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using StackExchange.Redis;

namespace StatusDaemon.Redis;

/// <summary>The settings of a Redis as the library takes them.</summary>
internal static class RedisConfiguration
{
    /// <summary>How to connect.</summary>
    public static ConfigurationOptions Of(RedisOptions options)
    {
        var patience = (int)RedisConnection.Patience.TotalMilliseconds;
        var configuration = new ConfigurationOptions
        {
            AbortOnConnectFail = true, // tried again by us: only so it says why
            AllowAdmin = true, // for CONFIG alone
            AsyncTimeout = patience,
            BacklogPolicy = BacklogPolicy.FailFast,
            ClientName = "statusd",
            ConfigCheckSeconds = 5,
            ConfigurationChannel = "", // nobody here publishes to it, and an ACL need not allow it
            ConnectRetry = 1,
            ConnectTimeout = patience,
            DefaultDatabase = options.Database,
            HeartbeatInterval = TimeSpan.FromMilliseconds(250),
            IncludeDetailInExceptions = false,
            KeepAlive = 5,
            Password = options.Password?.Reveal(),
            ReconnectRetryPolicy = new LinearRetry((int)RedisConnection.Retry.TotalMilliseconds),
            ServiceName = options.SentinelService,
            SyncTimeout = patience,
            TieBreaker = "", // as with the channel: a key of the library's own
            User = options.User,
        };
        foreach (var endpoint in EndpointsOf(options))
        {
            configuration.EndPoints.Add(endpoint);
        }

        if (options.Tls)
        {
            configuration.Ssl = true;
            if (options.TlsAuthority is { } authority)
            {
                configuration.TrustIssuer(authority);
            }

            if (options.TlsCertificate is { } certificate)
            {
                var own = X509Certificate2.CreateFromPemFile(certificate, options.TlsKey);
                configuration.CertificateSelection += (_, _, _, _, _) => own;
            }
        }

        return configuration;
    }

    /// <summary>Where to look for the servers at first.</summary>
    public static IEnumerable<EndPoint> EndpointsOf(RedisOptions options)
    {
        IEnumerable<EndPoint> endpoints = options switch
        {
            { Unix: { } path } => [new UnixDomainSocketEndPoint(path)],
            { Endpoints.Count: > 0 } => options.Endpoints,
            { SentinelEndpoints.Count: > 0 } => options.SentinelEndpoints,
            _ => [new DnsEndPoint(options.Host, options.Port)],
        };

        // An address as a name would be another server than the one that the cluster speaks of.
        return endpoints.Select(endpoint => endpoint is DnsEndPoint name && IPAddress.TryParse(name.Host, out var address) ? new IPEndPoint(address, name.Port) : endpoint);
    }
}
