using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using StatusDaemon.Settings;

namespace StatusDaemon.Cluster;

public sealed class MemberSocketsTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Where_Orleans_has_no_sockets_of_the_kind_to_replace_nothing_starts()
    {
        var renamed = new ServiceCollection();
        renamed.AddSingleton<IConnectionFactory>(new MemberSockets(NullLoggerFactory.Instance)); // without a key

        Assert.Contains(nameof(IConnectionFactory), Assert.Throws<InvalidOperationException>(() => MemberSockets.Replace(renamed, typeof(IConnectionFactory))).Message, StringComparison.Ordinal);

        var dials = new ServiceCollection();
        dials.AddKeyedSingleton<IConnectionFactory>("any", new MemberSockets(NullLoggerFactory.Instance));
        Assert.Throws<InvalidOperationException>(() => MemberSockets.Replace(dials, typeof(IConnectionFactory), typeof(IConnectionListenerFactory)));
    }

    [Fact]
    public async Task What_is_not_acknowledged_ends_a_connection_that_was_dialled_as_one_that_was_accepted()
    {
        using var sockets = new MemberSockets(NullLoggerFactory.Instance);
        await using var listener = await sockets.BindAsync(new IPEndPoint(IPAddress.Loopback, 0), TestContext.Current.CancellationToken);
        await using var dialled = await sockets.ConnectAsync(listener.EndPoint, TestContext.Current.CancellationToken);
        await using var accepted = await listener.AcceptAsync(TestContext.Current.CancellationToken);
        Assert.All(new[] { dialled, accepted! }, connection =>
        {
            var limit = new byte[sizeof(int)];
            connection.Features.Get<IConnectionSocketFeature>()!.Socket.GetRawSocketOption(optionLevel: 6, optionName: 18, limit); // TCP_USER_TIMEOUT
            Assert.Equal(MemberSockets.Limit, TimeSpan.FromMilliseconds(BitConverter.ToInt32(limit)));
        });
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Every_socket_of_Orleans_is_ours(bool isSilo)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        var certificates = MemberCertificates.Open(folder.Path, DateTimeOffset.UtcNow);
        if (isSilo)
        {
            builder.AddSilo(TestSilo.Setup(), silo => silo.UseLocalhostClustering(), certificates);
        }
        else
        {
            builder.AddClusterClient("test", client => client.UseLocalhostClustering(), certificates);
        }

        using var host = builder.Build();
        ServiceDescriptor[] keyed = [.. builder.Services.Where(service => service.IsKeyedService)];
        Type[] kinds = isSilo ? [typeof(IConnectionFactory), typeof(IConnectionListenerFactory)] : [typeof(IConnectionFactory)];
        Assert.All(kinds, kind => Assert.Contains(keyed, service => service.ServiceType == kind));
        Assert.All(keyed.Where(service => kinds.Contains(service.ServiceType)), service => Assert.IsType<MemberSockets>(host.Services.GetRequiredKeyedService(service.ServiceType, service.ServiceKey)));
    }
}
