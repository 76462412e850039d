using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Messaging;

namespace StatusDaemon.Cluster;

/// <summary>A silo in a host of its own, as <c>statusd</c> has it.</summary>
internal sealed class TestSilo : IAsyncDisposable
{
    private readonly IHost host;

    private TestSilo(IHost host, WarningLog<MemberTls> refusals)
    {
        this.host = host;
        Refusals = refusals;
    }

    public WarningLog<MemberTls> Refusals { get; }

    public IServiceProvider Services => host.Services;

    public IClusterClient Client => host.Services.GetRequiredService<IClusterClient>();

    public MemberEndpoints Endpoints => host.Services.GetRequiredService<MemberEndpoints>();

    public static async Task<TestSilo> StartAsync(
        MemberCertificates certificates, SiloSetup? setup = null, IPEndPoint? primary = null, Action<IHostApplicationBuilder>? more = null)
    {
        var refusals = new WarningLog<MemberTls>();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddProvider(refusals);
        builder.AddSilo(setup ?? Setup(), silo => silo.UseDevelopmentClustering(primary), certificates);
        more?.Invoke(builder);
        return new TestSilo(await StartAsync(builder, TestContext.Current.CancellationToken), refusals);
    }

    public static SiloSetup Setup() => new() { ClusterId = "test", Shards = 32 };

    public static async Task<IHost> StartClientAsync(IPEndPoint gateway, MemberCertificates certificates, CancellationToken giveUp)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.AddClusterClient("test", client => client.Services.AddSingleton<IGatewayListProvider>(new OneGateway(gateway)), certificates);
        return await StartAsync(builder, giveUp);
    }

    public static async Task<NetworkStream> ConnectAsync(IPEndPoint endpoint)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(endpoint, TestContext.Current.CancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }

    public Task StopAsync(CancellationToken limit) => host.StopAsync(limit);

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        host.Dispose();
    }

    private static async Task<IHost> StartAsync(HostApplicationBuilder builder, CancellationToken giveUp)
    {
        var host = builder.Build();
        try
        {
            await host.StartAsync(giveUp);
            return host;
        }
        catch
        {
            host.Dispose();
            throw;
        }
    }

    private sealed class OneGateway(IPEndPoint gateway) : IGatewayListProvider
    {
        public TimeSpan MaxStaleness => TimeSpan.FromMinutes(1);

        public bool IsUpdatable => false;

        public Task InitializeGatewayListProvider() => Task.CompletedTask;

        public Task<IList<Uri>> GetGateways() => Task.FromResult<IList<Uri>>([gateway.ToGatewayUri()]);
    }
}
