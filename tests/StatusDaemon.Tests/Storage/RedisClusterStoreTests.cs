using System.Net;
using StackExchange.Redis;
using StatusDaemon.Redis;

namespace StatusDaemon.Storage;

/// <summary>A cluster of three servers: keys are spread over them, and each tells of its own alone.</summary>
public sealed class RedisClusterStoreTests(RedisCluster cluster) : RedisStatusStoreContract, IClassFixture<RedisCluster>
{
    private ConnectionMultiplexer others = null!;

    private protected override RedisOptions Options => cluster.Options;

    private protected override IDatabase Others => others.GetDatabase();

    public override async ValueTask InitializeAsync()
    {
        await FlushAsync(); // what the test before has left
        others = await ConnectionMultiplexer.ConnectAsync(new ConfigurationOptions { AllowAdmin = true, EndPoints = { new IPEndPoint(IPAddress.Loopback, cluster.Servers[0].Port) } });
    }

    public override ValueTask DisposeAsync() => others.DisposeAsync();

    [Fact]
    public async Task A_server_of_the_cluster_that_was_killed_and_comes_back_with_nothing_gets_its_keys_again()
    {
        await using var store = await OpenRedisAsync(Options);
        var written = Enumerable.Range(1, 300).Select(i => StoredStatuses.Of($"uid-{i}", 5, 1, i)).ToList();
        await store.WriteAsync(written, TestContext.Current.CancellationToken);

        await cluster.Servers[1].KillAsync();
        Directory.Delete(Path.Combine(cluster.Servers[1].Folder, "appendonlydir"), recursive: true);
        await cluster.Servers[1].StartAgainAsync();
        while (store.Losses == 0)
        {
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        Assert.Empty(await store.WriteAsync(written, TestContext.Current.CancellationToken));
        Assert.Equal(written.ToHashSet(), (await store.ScanAsync(TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken)).ToHashSet());

        // And its keys ring again.
        var seen = new List<ExternalStatus>();
        await Task.WhenAll(Enumerable.Range(1, 30).Select(i => Others.StringSetAsync($"status:uid-{i}", "3")));
        await WaitAsync(store, seen, () => seen.Select(status => status.Uid).Distinct().Count() == 30);
    }

    private protected override Task FlushAsync() => Task.WhenAll(cluster.Servers.Select(server => server.Server.FlushAllDatabasesAsync()));
}
