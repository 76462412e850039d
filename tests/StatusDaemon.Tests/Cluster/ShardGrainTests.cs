using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Routing;
using StatusDaemon.Settings;
using StatusDaemon.Statuses;
using StatusDaemon.Storage;
using static StatusDaemon.Privileges.SmallDirectories;

namespace StatusDaemon.Cluster;

/// <summary>The shard in a real silo, over a real store whose scans a test can spoil.</summary>
public sealed class ShardGrainTests : IAsyncLifetime
{
    private const int Number = 0; // of one, so that everybody is of it
    private static readonly GatewayId Gateway = new(1);

    private readonly TempFolder folder = new();
    private readonly WarningLog<ShardGrain> log = new();
    private readonly WarningLog<StoreOutages> outages = new(LogLevel.Information);
    private readonly UidTable uids = new();
    private readonly GivenDirectory directory = new();
    private readonly CancellationTokenSource stopping = new();
    private readonly GatewayDouble gateway = new();
    private WatchedStore store = null!;
    private TestSilo silo = null!;
    private IGatewayObserver self = null!;
    private long batches;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        store = new WatchedStore(SqliteStatusStore.Open(folder["statuses.db"], NullLogger<SqliteStatusStore>.Instance));
        silo = await TestSilo.StartAsync(MemberCertificates.Open(folder["cluster"], DateTimeOffset.UtcNow), TestSilo.Setup() with { Shards = 1 }, more: builder =>
        {
            builder.Logging.AddProvider(log);
            builder.AddShards(store, directory, uids, new StoreOutages(outages), stopping.Token);
        });
        self = silo.Client.CreateObjectReference<IGatewayObserver>(gateway);
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await silo.DisposeAsync();
        stopping.Dispose();
        await store.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task A_scan_that_fails_as_nobody_foresaw_is_logged_and_the_shard_starts_anew()
    {
        store.FailNextScan = new InvalidOperationException("spoilt");
        var first = await FirstAnswerAsync(above: 0);
        Assert.Equal($"Shard {Number} met what must not be, and starts anew", await log.Lines.ReadAsync(Stop));
        store.FailNextScan = null;
        await FirstAnswerAsync(above: first.Activation);
    }

    [Fact]
    public async Task A_scan_that_the_disk_makes_fail_is_logged_once_and_begun_again_until_it_succeeds()
    {
        store.FailNextScan = new StoreException("the disk is away");
        var first = await FirstAnswerAsync(above: 0);
        Assert.Equal("The store can't be read, and whoever subscribes anew waits: the disk is away", await outages.Lines.ReadAsync(Stop));
        for (var scans = store.Scans; store.Scans < scans + 2;)
        {
            Assert.Equal(first.Activation, (await AskAsync(0)).Activation);
        }

        store.FailNextScan = null;
        for (var scans = store.Scans; store.Scans <= scans;)
        {
            Assert.Equal(first.Activation, (await AskAsync(0)).Activation);
        }

        Assert.Equal("The store is read again", await outages.Lines.ReadAsync(Stop));
    }

    [Fact]
    public async Task Nothing_is_said_to_be_saved_again_when_a_shard_ends_that_could_not_save()
    {
        var first = await FirstAnswerAsync(above: 0);
        store.FailWrites = new StoreException("the disk is full");
        await AskAsync(first.Activation, new RouterInput.Declare(Gateway), new RouterInput.Publish(new ConnectionId(Gateway, 1), UidOf("alice"), Status.Busy, default));
        Assert.Equal("Statuses can't be saved, they wait in memory: the disk is full", await outages.Lines.ReadAsync(Stop));
        await silo.StopAsync(Stop);
        Assert.False(outages.Lines.TryRead(out var line), line);
    }

    [Fact]
    public async Task A_batch_that_breaks_the_shard_is_logged_once_and_the_next_activation_takes_others()
    {
        var first = await FirstAnswerAsync(above: 0);
        var beyond = new StatusRecord(Status.Busy, default, new StatusVersion(store.Incarnation, long.MaxValue, 1), new ChangeSource(SourceKind.Client, "bob", "", DateTimeOffset.UnixEpoch));
        var failure = await Record.ExceptionAsync(() => AskAsync(first.Activation, new RouterInput.Declare(Gateway), new RouterInput.Adopt(UidOf("bob"), beyond)));
        Assert.NotNull(failure);
        Assert.Equal($"Shard {Number} met what must not be, and starts anew", await log.Lines.ReadAsync(Stop));

        var next = await FirstAnswerAsync(above: first.Activation);
        Assert.False((await AskAsync(next.Activation, new RouterInput.Declare(Gateway), new RouterInput.Watch(new ConnectionId(Gateway, 1), UidOf("bob"), UidOf("bob"), 1))).MustDeclare);
        Assert.IsType<Effect.Tell>(Assert.Single((await gateway.Batches.ReadAsync(Stop)).Deliveries));
        Assert.False(log.Lines.TryRead(out _));
    }

    [Fact]
    public async Task What_a_new_subscriber_says_at_once_is_not_judged_by_the_directory_of_before()
    {
        var first = await FirstAnswerAsync(above: 0);
        var (alice, carol) = (UidOf("alice"), UidOf("carol"));
        directory.Give(2, admitsUnknown: false, new Subscriber { Uid = alice, DName = DNameOf("alice@A") });
        Assert.Equal(default, await SayAsync(carol));
        Assert.NotEqual(default, await SayAsync(alice));
        directory.Give(3, admitsUnknown: false, new Subscriber { Uid = carol, DName = DNameOf("carol@A") });
        Assert.NotEqual(default, await SayAsync(carol));

        async Task<FeedKey> SayAsync(Uid uid) => Assert.Single((await AskAsync(
            first.Activation, new RouterInput.Declare(Gateway), new RouterInput.Publish(new ConnectionId(Gateway, 1), uid, Status.Busy, default))).Accepted);
    }

    [Fact]
    public async Task One_that_hears_of_a_later_activation_ends_and_the_next_is_later_than_that()
    {
        var first = await FirstAnswerAsync(above: 0);
        await AskAsync(first.Activation + 1000);
        Assert.Equal($"Shard {Number} had begun elsewhere meanwhile, and begins anew", await log.Lines.ReadAsync(Stop));
        await FirstAnswerAsync(above: first.Activation + 1000);
    }

    [Fact]
    public async Task A_gateway_of_the_release_before_is_answered_and_told_in_its_version_and_one_that_is_not_understood_hears_which_are()
    {
        var first = await FirstAnswerAsync(above: 0);
        var alice = UidOf("alice");
        var batch = new ShardBatch(Gateway, first.Activation, ++batches, [new RouterInput.Declare(Gateway), new RouterInput.Watch(new ConnectionId(Gateway, 1), alice, alice, 1)]);
        var answer = await TellAsync(new Payload(batch, WireVersion.Oldest));
        Assert.Equal(WireVersion.Oldest, answer.Version);
        Assert.Null(answer.AsRange());
        Assert.Single((await gateway.Batches.ReadAsync(Stop)).Deliveries);
        Assert.Equal(WireVersion.Oldest, gateway.Version);

        Assert.Equal(WireRange.Ours, (await TellAsync(new Payload([WireVersion.Newest + 1, 0, 0, 0]))).AsRange());
        Assert.Equal(WireRange.Ours, (await TellAsync(new Payload([]))).AsRange());
    }

    [Fact]
    public async Task One_that_begins_when_nobody_waits_for_it_any_more_holds_nothing()
    {
        using var givenUp = new ManualResetEventSlim();
        store.HoldUpOwner = () => givenUp.Wait(Stop); // as a machine that is too slow does
        silo.Services.GetRequiredService<IOptions<GrainCollectionOptions>>().Value.ActivationTimeout = TimeSpan.FromMilliseconds(200);
        await Assert.ThrowsAnyAsync<Exception>(() => silo.Client.GetGrain<IShardGrain>(Number).FollowAsync().WaitAsync(Stop));
        givenUp.Set();
        await silo.StopAsync(Stop);
        Assert.Empty(silo.Services.GetRequiredService<LocalShards>().Numbers);
    }

    [Fact]
    public async Task One_that_can_take_no_epoch_begins_as_soon_as_it_can_and_its_caller_need_not_call_again()
    {
        store.FailEpochs = new StoreException("the disk is away");
        var asked = AskAsync(0);
        Assert.Equal("The store can't be read, and whoever subscribes anew waits: the disk is away", await outages.Lines.ReadAsync(Stop));
        store.FailEpochs = null;
        Assert.True((await asked).Activation > 0);
        Assert.Equal("The store is read again", await outages.Lines.ReadAsync(Stop));
    }

    [Fact]
    public async Task One_whose_host_stops_while_it_looks_for_a_newcomer_goes_on_and_takes_the_batch_when_it_comes_again()
    {
        directory.Give(2, admitsUnknown: false);
        var first = await FirstAnswerAsync(above: 0);
        RouterInput[] inputs = [new RouterInput.Declare(Gateway), new RouterInput.Open(new ConnectionId(Gateway, 1), UidOf("alice"), "alice", "")];
        await stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => AskAsync(first.Activation, inputs));
        var again = await AskAsync(first.Activation, inputs);
        Assert.Equal((first.Activation, false), (again.Activation, again.MustDeclare));
        Assert.False(log.Lines.TryRead(out _));
    }

    [Fact]
    public async Task One_that_has_nowhere_to_go_stays_and_goes_on()
    {
        var first = await FirstAnswerAsync(above: 0);
        var here = silo.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress;
        await silo.Client.GetGrain<IShardGrain>(Number).LeaveAsync(here);
        Assert.Equal(first.Activation, (await AskAsync(0)).Activation);
        Assert.Equal([Number], silo.Services.GetRequiredService<LocalShards>().Numbers);
    }

    /// <summary>Asks who is there until an activation answers that took a higher epoch.</summary>
    private async Task<ShardAnswer> FirstAnswerAsync(long above)
    {
        while (true)
        {
            Stop.ThrowIfCancellationRequested();
            try
            {
                if (await AskAsync(0) is var answer && answer.Activation > above)
                {
                    return answer;
                }
            }
            catch (InvalidOperationException)
            {
                // The one before has not ended yet.
            }
        }
    }

    private async Task<ShardAnswer> AskAsync(long activation, params RouterInput[] inputs)
    {
        var batch = new ShardBatch(Gateway, activation, ++batches, inputs);
        return (await TellAsync(new Payload(batch))).AsAnswer(Gateway, uids);
    }

    private Task<Payload> TellAsync(Payload batch) => silo.Client.GetGrain<IShardGrain>(Number).TakeAsync(batch, self).WaitAsync(Stop);

    private sealed class GatewayDouble : IGatewayObserver
    {
        private readonly Channel<DeliveryBatch> taken = Channel.CreateUnbounded<DeliveryBatch>(); // a test makes few

        public ChannelReader<DeliveryBatch> Batches => taken.Reader;

        /// <summary>In which it was told last.</summary>
        public byte Version { get; private set; }

        public Task DeliverAsync(Payload batch)
        {
            Version = batch.Version;
            taken.Writer.TryWrite(batch.AsDeliveries(Gateway, new UidTable()));
            return Task.CompletedTask;
        }
    }
}
