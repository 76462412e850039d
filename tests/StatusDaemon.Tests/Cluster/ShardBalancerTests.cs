using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using StatusDaemon.Names;
using StatusDaemon.Settings;
using StatusDaemon.Storage;
using StatusDaemon.Telemetry;

namespace StatusDaemon.Cluster;

/// <summary>Real silos with real shards, which nobody calls but those who move them.</summary>
public sealed class ShardBalancerTests : IAsyncDisposable
{
    private static readonly int Shards = TestSilo.Setup().Shards;

    private readonly TempFolder folder = new();
    private readonly SqliteStatusStore store;
    private readonly InstrumentReader first = new();
    private readonly InstrumentReader second = new();

    public ShardBalancerTests() => store = SqliteStatusStore.Open(folder["statuses.db"], NullLogger<SqliteStatusStore>.Instance);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        first.Dispose();
        second.Dispose();
        await store.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task Half_of_the_shards_go_to_a_daemon_that_comes_and_come_back_when_it_stops()
    {
        await using var staying = await StartAsync(first);
        await BeginAllAsync(staying);
        await using var coming = await StartAsync(second, staying.Endpoints.Silo);
        await first.BecomesAsync("statusd.shards.active", Shards / 2);
        await second.BecomesAsync("statusd.shards.active", Shards / 2);
        Assert.InRange(first["statusd.shards.moved"], 1, Shards / 2); // one that Orleans ends, since its directory moves too, begins there when it is asked to go
        Assert.Equal(0, second["statusd.shards.moved"]);
        await coming.StopAsync(Stop);
        Assert.InRange(second["statusd.shards.moved"], 1, Shards / 2);
        await BeginAllAsync(staying); // Orleans ends those whose entry in its directory was at the one that stopped
        Assert.Equal(Shards, first["statusd.shards.active"]);
    }

    [Fact]
    public async Task Shards_go_as_soon_as_a_daemon_is_asked_to_stop_whatever_else_has_to_end_first()
    {
        await using var staying = await StartAsync(first);
        await using var leaving = await StartAsync(second, staying.Endpoints.Silo);
        await BeginAllAsync(staying);
        await second.BecomesAsync("statusd.shards.active", Shards / 2);
        leaving.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication(); // no more than the beginning: the host goes on
        await first.BecomesAsync("statusd.shards.active", Shards);
        Assert.InRange(second["statusd.shards.moved"], 1, Shards / 2);
    }

    private async Task<TestSilo> StartAsync(InstrumentReader read, IPEndPoint? primary = null)
    {
        var silo = await TestSilo.StartAsync(MemberCertificates.Open(folder["cluster"], DateTimeOffset.UtcNow), primary: primary, more: builder =>
        {
            builder.AddShards(store, new GivenDirectory(), new UidTable(), new StoreOutages(NullLogger<StoreOutages>.Instance), CancellationToken.None);
            builder.Services.AddHostedService<ShardBalancer>();
        });
        silo.Services.GetRequiredService<LocalShards>().Measure(read.Meter);
        return silo;
    }

    private static async Task BeginAllAsync(TestSilo silo)
    {
        for (var shard = 0; shard < Shards; shard++)
        {
            while (!await IsThereAsync(silo.Client.GetGrain<IShardGrain>(shard)))
            {
                // A call under way to a daemon that stops may fail.
            }
        }
    }
    private static async Task<bool> IsThereAsync(IShardGrain shard)
    {
        try
        {
            await shard.FollowAsync().WaitAsync(Stop);
            return true;
        }
        catch (Exception) when (!Stop.IsCancellationRequested)
        {
            return false;
        }
    }
}
