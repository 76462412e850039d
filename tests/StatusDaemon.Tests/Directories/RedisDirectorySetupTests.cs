using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;
using StatusDaemon.EndToEnd;
using StatusDaemon.Privileges;
using StatusDaemon.Redis;
using StatusDaemon.Settings;
using static StatusDaemon.Privileges.SmallDirectories;

namespace StatusDaemon.Directories;

/// <summary>The privilege database in the ways that Redis is set up: a cluster, sentinels, TLS.</summary>
public sealed class RedisDirectorySetupTests(RedisCluster cluster) : IClassFixture<RedisCluster>
{
    internal static readonly Subscriber[] People = [.. Enumerable.Range(0, 12).Select(number => new Subscriber { Uid = UidOf($"u{number}"), DName = DNameOf($"u{number}@A"), Numbers = [NumberOf($"20{number}")] })];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_cluster_is_followed_on_all_of_its_servers_also_after_one_was_away()
    {
        await using var service = await ConnectionMultiplexer.ConnectAsync(new ConfigurationOptions { EndPoints = { new IPEndPoint(IPAddress.Loopback, cluster.Servers[0].Port) } });
        var commands = service.GetDatabase();
        await Task.WhenAll(People.Select(person => PrivilegeWriter.PutAsync(commands, person)));
        await using var directory = await FollowAsync(cluster.Options);
        Assert.Equal(People.Length, directory.Current.Subscribers.Count);

        await HideAsync(commands, directory);
        await cluster.Servers[2].KillAsync();
        await SeesAsync(directory, _ => directory.Trouble is not null);
        Assert.Equal(People.Length, directory.Current.Subscribers.Count);
        await cluster.Servers[2].StartAgainAsync();
        await SeesAsync(directory, _ => directory.Trouble is null);
        await ShowAsync(commands, directory);
    }

    [Fact]
    public async Task After_a_failover_the_promoted_replica_is_followed()
    {
        await using var primary = await RedisProcess.StartAsync(RedisProcess.Durable);
        await using var replica = await RedisProcess.StartAsync([.. RedisProcess.Durable, "--replicaof", "127.0.0.1", $"{primary.Port}"]);
        await using var sentinel = await RedisProcess.StartSentinelAsync(primary);
        await Task.WhenAll(People.Select(person => PrivilegeWriter.PutAsync(primary.Commands, person)));
        await primary.Commands.ExecuteAsync("WAIT", 1, 10_000);
        await sentinel.KnowsReplicaAsync();
        await using var directory = await FollowAsync(new RedisOptions { SentinelEndpoints = [new DnsEndPoint("127.0.0.1", sentinel.Port)], SentinelService = "main" });
        Assert.Equal(People.Length, directory.Current.Subscribers.Count);

        await primary.KillAsync();
        while (!await TryHideAsync(replica.Commands, directory))
        {
            await Task.Delay(20, Stop);
        }
    }

    [Fact]
    public async Task Tls_with_a_certificate_and_a_password_of_our_own_works()
    {
        using var folder = new TempFolder();
        var certificate = LocalCertificate.MakeIn(folder);
        await using var redis = await RedisProcess.StartTlsAsync(certificate);
        await Task.WhenAll(People.Select(person => PrivilegeWriter.PutAsync(redis.Commands, person)));
        await using var directory = await FollowAsync(redis.TlsOptions(certificate));
        Assert.Equal(People.Length, directory.Current.Subscribers.Count);
        await HideAsync(redis.Commands, directory);
    }

    internal static async Task<RedisDirectory> FollowAsync(RedisOptions options)
    {
        var directory = await RedisDirectory.OpenAsync(
            new PrivilegeRedisOptions { Server = options, Sweep = TimeSpan.FromSeconds(1) }, new DirectoryPolicy { AllowsByDefault = true }, realm: null, TimeProvider.System, NullLogger<RedisDirectory>.Instance, Stop);
        await directory.StartAsync(Stop);
        return directory;
    }

    /// <returns>False where it is no primary yet, or its connections were cut when it became one.</returns>
    private static async Task<bool> TryHideAsync(IDatabase commands, RedisDirectory directory)
    {
        try
        {
            await HideAsync(commands, directory);
            return true;
        }
        catch (RedisException)
        {
            return false;
        }
    }

    private static async Task HideAsync(IDatabase commands, RedisDirectory directory)
    {
        await Task.WhenAll(People.Select(person => commands.SetAddAsync($"black:{person.Uid}", "*")));
        await SeesAsync(directory, snapshot => People.All(person => !snapshot.Judge(person.Uid, UidOf("other")).IsVisible));
    }

    private static async Task ShowAsync(IDatabase commands, RedisDirectory directory)
    {
        await Task.WhenAll(People.Select(person => commands.SetRemoveAsync($"black:{person.Uid}", "*")));
        await SeesAsync(directory, snapshot => People.All(person => snapshot.Judge(person.Uid, UidOf("other")).IsVisible));
    }

    /// <summary>Waits until the directory is as it should be; its trouble makes no snapshot, so it is asked for.</summary>
    internal static async Task SeesAsync(RedisDirectory directory, Func<DirectorySnapshot, bool> isSo)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (!isSo(directory.Current))
        {
            await Task.Delay(5, patience.Token);
        }
    }
}
