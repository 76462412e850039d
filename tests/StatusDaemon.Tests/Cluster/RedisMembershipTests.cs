using System.Net;
using StatusDaemon.Redis;
using StatusDaemon.Storage;

namespace StatusDaemon.Cluster;

public sealed class RedisMembershipTests
{
    [Theory]
    [InlineData("192.0.2.1", "127.0.0.1", null, true)]
    [InlineData("192.0.2.1", "192.0.2.7", "127.0.0.1", true)]
    [InlineData("192.0.2.1", "127.0.0.1", "192.0.2.7", false)]
    [InlineData("192.0.2.1", "192.0.2.7", null, false)]
    [InlineData("127.0.0.1", "127.0.0.1", null, false)]
    [InlineData("Localhost", "127.0.0.1", null, false)]
    [InlineData("::1", "127.0.0.1", null, false)]
    [InlineData("redis.example.org", "127.0.0.1", null, true)]
    public async Task A_daemon_whom_no_other_machine_finds_says_so(string redis, string host, string? advertise, bool isTold)
    {
        using var log = new WarningLog<RedisMembership>();
        var options = new ClusterOptions { Kind = ClusterKind.Redis, Host = IPAddress.Parse(host), Advertise = advertise is null ? null : IPAddress.Parse(advertise) };
        var membership = new RedisMembership(new StatusRedisOptions { Server = new RedisOptions { Host = redis, Port = 1 } }, options, TimeProvider.System, log);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => membership.EnterAsync(new CancellationToken(canceled: true)));

        Assert.Equal(isTold, log.Lines.TryRead(out var line) && line.Contains("CLUSTER.advertise", StringComparison.Ordinal));
    }
}
