using System.Net;
using StackExchange.Redis;
using StatusDaemon.Redis;
using static StatusDaemon.Directories.RedisDirectorySetupTests;
using static StatusDaemon.Privileges.SmallDirectories;

namespace StatusDaemon.Directories;

/// <summary>The privilege database in a cluster that promotes a replica by itself.</summary>
public sealed class RedisDirectoryFailoverTests(RedisCluster cluster) : IClassFixture<RedisCluster>
{
    [Fact]
    public async Task After_a_failover_in_a_cluster_the_promoted_replica_is_followed_and_so_it_is_when_the_old_one_is_back()
    {
        var primary = cluster.OwnerOf($"black:{People[0].Uid}");
        var replica = await cluster.AddReplicaAsync(primary);
        await using (var service = await ConnectionMultiplexer.ConnectAsync(new ConfigurationOptions { EndPoints = { new IPEndPoint(IPAddress.Loopback, primary.Port) } }))
        {
            await Task.WhenAll(People.Select(person => PrivilegeWriter.PutAsync(service.GetDatabase(), person)));
        }

        await replica.CatchesUpWithAsync(primary);
        await using var directory = await FollowAsync(cluster.Options);
        Assert.Equal(People.Length, directory.Current.Subscribers.Count);

        await primary.KillAsync();
        await SeesAsync(directory, _ => directory.Trouble is not null);
        Assert.Equal("the privilege database is away; the log says why (event 5101)", directory.Trouble);
        await SeesAsync(directory, _ => directory.Trouble is null);
        Assert.True(await replica.IsPrimaryAsync());
        Assert.Equal(People.Length, directory.Current.Subscribers.Count);
        Assert.Equal([":1"], await replica.TellAsync($"SADD black:{People[0].Uid} *"));
        await SeesAsync(directory, snapshot => !snapshot.Judge(People[0].Uid, UidOf("other")).IsVisible);

        await primary.StartAgainAsync();
        await RedisCluster.UntilAsync(primary.ReplicatesAsync);
        Assert.Equal([":1"], await replica.TellAsync($"SREM black:{People[0].Uid} *"));
        await SeesAsync(directory, snapshot => snapshot.Judge(People[0].Uid, UidOf("other")).IsVisible);
        Assert.Equal(People.Length, directory.Current.Subscribers.Count);
    }
}
