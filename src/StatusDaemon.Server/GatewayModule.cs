using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StatusDaemon.Auth;
using StatusDaemon.Cluster;
using StatusDaemon.Gateway;

namespace StatusDaemon;

/// <summary>The WebSocket status server: logins, HTTP, and loops with clients' sockets.</summary>
internal static class GatewayModule
{
    /// <summary>Threads that own sockets: half of the machine, since routing and logins want the rest.</summary>
    private static readonly int Loops = Math.Max(1, Environment.ProcessorCount / 2);

    /// <summary>Where a gateway listens, with the port that a setting of 0 has come to.</summary>
    public static Uri AddressOf(IServiceProvider provider) =>
        new(provider.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>Where clients on this machine reach it: by the address, unless a certificate is for a name only.</summary>
    public static Uri AddressForClients(this IServiceProvider services, StatusdSettings settings, LoginReport login)
    {
        var listening = AddressOf(services);
        var reached = settings.Service.Host switch
        {
            var host when host.Equals(IPAddress.Any) => IPAddress.Loopback,
            var host when host.Equals(IPAddress.IPv6Any) => IPAddress.IPv6Loopback,
            var host => host,
        };
        var name = reached.ToString();
        if (services.GetService<X509Certificate2>() is { } certificate)
        {
            string[] names =
            [
                name,
                .. (login as LoginReport.Kerberos)?.Services.Select(service => service[(service.IndexOf('@', StringComparison.Ordinal) + 1)..]) ?? [],
                certificate.GetNameInfo(X509NameType.DnsName, forIssuer: false),
            ];
            name = names.FirstOrDefault(candidate => Uri.CheckHostName(candidate) != UriHostNameType.Unknown && certificate.MatchesHostname(candidate)) ?? name;
        }

        return new UriBuilder(listening.Scheme, name, listening.Port).Uri;
    }

    /// <summary>Asks for the address before anything starts: Kestrel asks last, when the silo is up and has much to say about being stopped.</summary>
    public static void CheckAddress(ServiceOptions service)
    {
        var address = new IPEndPoint(service.Host, service.Port);
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(address);
        }
        catch (SocketException e)
        {
            throw new StartException($"{address}: {e.Message}. Stop what listens there, or set SERVICE.host and SERVICE.port to an address of this machine that is free.", e);
        }
    }

    /// <summary>Puts the gateway into a host.</summary>
    /// <exception cref="StartException">Nobody could log in.</exception>
    public static void AddGateway(this WebApplicationBuilder builder, StatusdSettings settings, AuthOptions auth)
    {
        var services = builder.Services;
        AddLogin(builder, settings, auth);
        services.AddSingleton(settings.Service);
        services.AddSingleton(settings.Service.Limits);
        services.AddSingleton(new ConnectionCounts(settings.Service.Limits.ConnectionsPerSubscriber));
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<GatewayLoops>(provider, Loops, settings.Cluster.Shards, settings.Service.Limits, auth));
        services.AddHostedService(provider => provider.GetRequiredService<GatewayLoops>());
        services.AddSingleton<GatewayDrain>();
        services.AddHostedService(provider => provider.GetRequiredService<GatewayDrain>());
        services.Configure<HostOptions>(host =>
            host.ShutdownTimeout = TimeSpan.FromTicks(Math.Max(host.ShutdownTimeout.Ticks, (GatewayDrain.LongestOf(settings.Service) + ClusterHosting.SiloStopLimit).Ticks)));
        services.AddHostedService<HeapReturn>();
        services.AddSingleton<PubSub>();
        services.AddSingleton<DirectoryEndpoint>();
        services.AddSingleton<HealthEndpoints>();
        X509Certificate2? certificate = settings.Service.Tls is { } tls ? HttpHosting.Load(tls) : null;
        if (certificate is not null)
        {
            services.AddSingleton(certificate);
        }

        builder.AddHttp(settings.Service, certificate);
    }

    /// <summary>Lets it find daemons in other processes.</summary>
    public static void AddDaemonsElsewhere(this IHostApplicationBuilder builder, IMembership membership, string clusterId, MemberCertificates certificates) =>
        builder.Services.AddSingleton<IShardAccess>(provider => ActivatorUtilities.CreateInstance<ShardsElsewhere>(provider, membership, clusterId, certificates));

    private static void AddLogin(WebApplicationBuilder builder, StatusdSettings settings, AuthOptions auth)
    {
        var services = builder.Services;
        services.AddSingleton(auth);
        services.AddSingleton<LoginMetrics>();
        services.AddSingleton<Admission>();
        if (auth.Mode == AuthMode.TrustedHeader)
        {
            services.AddSingleton<ILogin, TrustedHeaderLogin>();
            services.AddSingleton(new OriginPolicy(settings.Service.Origins));
            services.AddSingleton<LoginReport>(new LoginReport.TrustedHeader(TrustedHeaderLogin.Header));
            return;
        }

        var probe = AuthProbe.Run(auth, settings.State.Path, Dns.GetHostName(), TimeProvider.System);
        if (probe is not { Setup: { } setup, Report: { } report })
        {
            throw new StartException(string.Join('\n', probe.Problems));
        }

        services.AddSingleton(_ => new GssAcceptor(setup));
        services.AddSingleton<ILogin, NegotiateLogin>();
        services.AddSingleton(provider => settings.Service.Origins.Count > 0
            ? new OriginPolicy(settings.Service.Origins)
            : OriginPolicy.OfServer(setup.Services, settings.Service.Tls is not null, () => AddressOf(provider).Port));
        services.AddSingleton<LoginReport>(report);
    }
}
