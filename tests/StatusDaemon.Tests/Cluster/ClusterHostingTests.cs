using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Orleans.Runtime.Messaging;
using StatusDaemon.EndToEnd;
using StatusDaemon.Gateway;
using StatusDaemon.Names;
using StatusDaemon.Routing;
using StatusDaemon.Settings;

namespace StatusDaemon.Cluster;

public sealed class ClusterHostingTests : IDisposable
{
    private static readonly GatewayId Gateway = new(1);

    private readonly TempFolder folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private MemberCertificates Certificates => MemberCertificates.Open(folder.Path, DateTimeOffset.UtcNow);

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_silo_answers_its_own_process_without_a_port_for_clients()
    {
        await using var silo = await TestSilo.StartAsync(Certificates);

        var place = await silo.Client.GetGrain<IProbeGrain>(7).WhereAsync();

        Assert.StartsWith($"127.0.0.1:{silo.Endpoints.Silo.Port}@", place, StringComparison.Ordinal);
        Assert.Null(silo.Endpoints.Gateway);
    }

    [Fact]
    public async Task A_silo_can_listen_on_one_address_and_be_known_by_another()
    {
        var setup = SiloSetup.From(new ClusterOptions { Host = IPAddress.Any, Advertise = IPAddress.Loopback }) with { GatewayPort = 0 };
        await using var silo = await TestSilo.StartAsync(Certificates, setup);

        var place = await silo.Client.GetGrain<IProbeGrain>(7).WhereAsync();

        Assert.StartsWith($"127.0.0.1:{silo.Endpoints.Silo.Port}@", place, StringComparison.Ordinal);
        Assert.Equal([IPAddress.Any, IPAddress.Any], [silo.Endpoints.Silo.Address, silo.Endpoints.Gateway!.Address]);
        await using var reached = await TestSilo.ConnectAsync(new IPEndPoint(IPAddress.Loopback, silo.Endpoints.Gateway.Port));
    }

    [Fact]
    public async Task A_message_is_handed_over_within_the_process()
    {
        await using var silo = await TestSilo.StartAsync(Certificates);
        var batch = Batch(inputs: 3);

        var echo = await silo.Client.GetGrain<IProbeGrain>(0).EchoAsync(new Payload(batch));

        Assert.Same(batch, echo.AsBatch(new UidTable()));
    }

    [Fact]
    public async Task A_grain_calls_an_observer_of_its_own_process()
    {
        await using var silo = await TestSilo.StartAsync(Certificates);
        var observer = new Observer();
        var reference = silo.Client.CreateObjectReference<IProbeObserver>(observer);
        var batch = new DeliveryBatch(Outbox: 3, Number: 4, []);

        await silo.Client.GetGrain<IProbeGrain>(1).NotifyAsync(reference, new Payload(batch));

        Assert.Same(batch, (await observer.Received.Task).AsDeliveries(Gateway, new UidTable()));
    }

    [Fact]
    public async Task Instances_run_side_by_side_without_any_setting()
    {
        using var other = new TempFolder();
        await using var first = await TestSilo.StartAsync(Certificates, TestSilo.Setup() with { GatewayPort = 0 });
        await using var second = await TestSilo.StartAsync(MemberCertificates.Open(other.Path, DateTimeOffset.UtcNow), TestSilo.Setup() with { GatewayPort = 0 });

        var places = new[] { await first.Client.GetGrain<IProbeGrain>(3).WhereAsync(), await second.Client.GetGrain<IProbeGrain>(3).WhereAsync() };

        Assert.NotEqual(places[0], places[1]);
        Assert.Equal(4, new[] { first.Endpoints.Silo.Port, first.Endpoints.Gateway!.Port, second.Endpoints.Silo.Port, second.Endpoints.Gateway!.Port }.Distinct().Count());
    }

    [Fact]
    public async Task A_client_in_another_process_comes_in_with_a_certificate_of_the_same_authority()
    {
        await using var silo = await TestSilo.StartAsync(Certificates, TestSilo.Setup() with { GatewayPort = 0 });
        using var client = await TestSilo.StartClientAsync(silo.Endpoints.Gateway!, Certificates, Stop);
        var grains = client.Services.GetRequiredService<IClusterClient>();
        var batch = Batch(inputs: 100_000);

        var payload = new Payload(batch);
        var echo = await grains.GetGrain<IProbeGrain>(5).EchoAsync(payload);
        var again = await grains.GetGrain<IProbeGrain>(5).EchoAsync(payload);

        Assert.Equal(batch.ToBytes(), echo.AsBatch(new UidTable()).ToBytes());
        Assert.Equal(batch.ToBytes(), again.AsBatch(new UidTable()).ToBytes());
        await client.StopAsync(Stop);
    }

    [Fact]
    public async Task A_client_with_a_certificate_of_another_authority_is_refused()
    {
        using var other = new TempFolder();
        await using var silo = await TestSilo.StartAsync(Certificates, TestSilo.Setup() with { GatewayPort = 0 });

        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(Stop); // by itself it would try for a minute
        var start = TestSilo.StartClientAsync(silo.Endpoints.Gateway!, MemberCertificates.Open(other.Path, DateTimeOffset.UtcNow), giveUp.Token);
        var refusal = await silo.Refusals.Lines.ReadAsync(Stop);
        var again = await silo.Refusals.Lines.ReadAsync(Stop);
        await giveUp.CancelAsync();

        // Whichever is first: the end of its patience, or what it has met so far.
        Assert.True(await Record.ExceptionAsync(() => start) is OperationCanceledException or ConnectionFailedException);
        Assert.All([refusal, again], line => Assert.StartsWith("Refused a connection from 127.0.0.1:", line, StringComparison.Ordinal));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_peer_that_trusts_anybody_is_still_asked_for_its_own_certificate(bool gateway)
    {
        using var authority = new TestAuthority();
        using var foreign = authority.SignMember();
        await using var silo = await TestSilo.StartAsync(Certificates, TestSilo.Setup() with { GatewayPort = 0 });
        var port = gateway ? silo.Endpoints.Gateway! : silo.Endpoints.Silo;

        Assert.Equal(0, await BytesReceivedAsync(port, null));
        Assert.Contains("showed no certificate", await silo.Refusals.Lines.ReadAsync(Stop), StringComparison.Ordinal);
        Assert.Equal(0, await BytesReceivedAsync(port, foreign));
        Assert.Contains("'CN=test member' is not valid here (PartialChain)", await silo.Refusals.Lines.ReadAsync(Stop), StringComparison.Ordinal);
        Assert.NotEmpty(await silo.Client.GetGrain<IProbeGrain>(0).WhereAsync());
        Assert.False(silo.Refusals.Lines.TryRead(out _));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Plain_text_on_a_member_port_is_refused_and_harms_nothing(bool gateway)
    {
        await using var silo = await TestSilo.StartAsync(Certificates, TestSilo.Setup() with { GatewayPort = 0 });
        await using var stream = await TestSilo.ConnectAsync(gateway ? silo.Endpoints.Gateway! : silo.Endpoints.Silo);

        await stream.WriteAsync("GET /pubsub HTTP/1.1\r\n\r\n"u8.ToArray(), Stop);

        Assert.Contains(stream.Socket.LocalEndPoint!.ToString()!, await silo.Refusals.Lines.ReadAsync(Stop), StringComparison.Ordinal);
        Assert.Equal(0, await ReadToEndAsync(stream));
        Assert.NotEmpty(await silo.Client.GetGrain<IProbeGrain>(0).WhereAsync());
    }

    [Fact]
    public async Task Two_silos_meet_over_tls_and_share_the_shards_evenly()
    {
        await using var first = await TestSilo.StartAsync(Certificates);
        await using var second = await TestSilo.StartAsync(Certificates, primary: first.Endpoints.Silo);
        await foreach (var members in second.Services.GetRequiredService<IClusterManifestProvider>().Updates.WithCancellation(Stop))
        {
            if (members.Silos.Count == 2)
            {
                break;
            }
        }

        var places = await Task.WhenAll(Enumerable.Range(0, 32).Select(shard => second.Client.GetGrain<IProbeGrain>(shard).WhereAsync()));

        Assert.Equal([16, 16], places.GroupBy(place => place).Select(shards => shards.Count()));
        Assert.False(first.Refusals.Lines.TryRead(out _));
        await second.StopAsync(Stop); // before the silo that keeps the list of members
    }

    [Fact]
    public async Task A_silo_stops_at_once_even_while_a_stranger_holds_a_handshake_open()
    {
        await using var silo = await TestSilo.StartAsync(Certificates);
        await using var stranger = await TestSilo.ConnectAsync(silo.Endpoints.Silo);
        await silo.Client.GetGrain<IProbeGrain>(0).WhereAsync();
        var watch = Stopwatch.StartNew();

        await silo.StopAsync(Stop);

        Assert.InRange(watch.Elapsed, TimeSpan.Zero, MemberTls.HandshakeLimit / 2); // 0.1 s on an idle machine
    }

    [Fact]
    public async Task A_shard_that_hangs_does_not_keep_its_silo_from_stopping()
    {
        await using var silo = await TestSilo.StartAsync(Certificates);
        var stuck = silo.Client.GetGrain<IProbeGrain>(0).HangAsync();
        await silo.Client.GetGrain<IProbeGrain>(1).WhereAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(200)); // the host's own is StopLimit
        var watch = Stopwatch.StartNew();

        await silo.StopAsync(limit.Token);

        Assert.InRange(watch.Elapsed, TimeSpan.Zero, ClusterHosting.StopLimit / 2);
        Assert.Equal(ClusterHosting.StopLimit, silo.Services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout);
        await Assert.ThrowsAnyAsync<Exception>(() => stuck);
    }

    [Fact]
    public async Task A_stop_has_the_time_that_clients_need_or_shards_that_go_and_then_that_of_a_silo()
    {
        await using var server = await ServerHere.StartAsync();
        var drain = GatewayDrain.LongestOf(server.Services.GetRequiredService<ServiceOptions>());
        Assert.True(drain >= ClusterHosting.HandOverLimit);
        Assert.Equal(drain + ClusterHosting.SiloStopLimit, server.Services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout);
    }

    /// <summary>Completes a handshake where it is let, and counts what the silo then sends: nothing, when it refuses.</summary>
    private static async Task<int> BytesReceivedAsync(IPEndPoint port, X509Certificate2? certificate)
    {
        await using var tls = new SslStream(await TestSilo.ConnectAsync(port));
        try
        {
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "member",
                ClientCertificates = certificate is null ? null : [certificate],
                LocalCertificateSelectionCallback = certificate is null ? null : (_, _, _, _, _) => certificate,
                RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null,
            }, Stop);
        }
        catch (AuthenticationException)
        {
            return 0;
        }

        return await ReadToEndAsync(tls);
    }

    private static async Task<int> ReadToEndAsync(Stream stream)
    {
        try
        {
            return await stream.ReadAsync(new byte[100], Stop);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static ShardBatch Batch(int inputs) =>
        new(Gateway, Activation: 1, Number: 2, [.. Enumerable.Range(0, inputs).Select(i => new RouterInput.Close(new ConnectionId(Gateway, i)))]);

    private sealed class Observer : IProbeObserver
    {
        public TaskCompletionSource<Payload> Received { get; } = new();

        public Task OnPayloadAsync(Payload payload)
        {
            Received.SetResult(payload);
            return Task.CompletedTask;
        }
    }
}
