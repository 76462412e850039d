using System.Threading.Channels;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using StatusDaemon.Daemon;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;
using static StatusDaemon.Privileges.SmallDirectories;

namespace StatusDaemon.Cluster;

public sealed class OutboxPumpTests : IDisposable
{
    private static readonly GatewayId Gateway = new(1);

    private readonly WatchedTime time = new();
    private readonly SteadyClock clock;
    private readonly Outboxes outboxes = new();
    private readonly WarningLog<OutboxPump> log = new();
    private readonly ApplicationLifetime lifetime = new(NullLogger<ApplicationLifetime>.Instance);
    private readonly OutboxPump pump;

    public OutboxPumpTests()
    {
        clock = new SteadyClock(time);
        pump = new OutboxPump(outboxes, clock, time, lifetime, log);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        lifetime.NotifyStopped();
        log.Dispose();
    }

    [Fact]
    public async Task A_gateway_that_takes_nothing_is_tried_for_half_a_minute_and_then_given_up()
    {
        var gateway = new GatewayDouble { Failure = new TimeoutException("busy") };
        pump.Open(Gateway, gateway, WireVersion.Newest);
        Assert.Equal(OutboxPump.GiveUp, await time.NextWaitAsync(Stop));
        outboxes.Find(Gateway)!.Add(Status(1));
        var line = log.Lines.ReadAsync(Stop).AsTask();
        while (await Task.WhenAny(line, NextAsync()) != line)
        {
            // Each pause of the pump passes in an instant.
        }

        Assert.Equal($"Gateway {Gateway} is given up after it took nothing for 30 s (busy); 0 deliveries are dropped, it will declare itself anew", await line);
        Assert.InRange(clock.Now.Steady, OutboxPump.GiveUp, OutboxPump.GiveUp + TimeSpan.FromSeconds(2));
        await IsClosedAsync();
    }

    [Fact]
    public async Task A_call_that_somebody_else_cancelled_is_tried_again()
    {
        var gateway = new GatewayDouble { Failure = new TaskCanceledException() };
        pump.Open(Gateway, gateway, WireVersion.Newest);
        Assert.Equal(OutboxPump.GiveUp, await time.NextWaitAsync(Stop));
        outboxes.Find(Gateway)!.Add(Status(1));
        await gateway.Calls.Reader.ReadAsync(Stop);
        gateway.Failure = null;
        await NextAsync();
        await gateway.Calls.Reader.ReadAsync(Stop);
        Assert.Equal(OutboxPump.GiveUp, await time.NextWaitAsync(Stop));
        Assert.NotNull(outboxes.Find(Gateway));
    }

    [Fact]
    public async Task What_was_lost_on_the_way_goes_again_long_before_the_call_fails()
    {
        var gateway = new GatewayDouble { IsDeaf = true };
        pump.Open(Gateway, gateway, WireVersion.Newest);
        Assert.Equal(OutboxPump.GiveUp, await time.NextWaitAsync(Stop));
        outboxes.Find(Gateway)!.Add(Status(1));
        var lost = await gateway.Calls.Reader.ReadAsync(Stop);
        gateway.IsDeaf = false;
        Assert.Equal(ClusterHosting.Patience, await time.NextWaitAsync(Stop));
        time.Advance(ClusterHosting.Patience);
        await NextAsync();

        Assert.Same(lost, await gateway.Calls.Reader.ReadAsync(Stop));
    }

    [Fact]
    public async Task What_cannot_be_framed_is_logged_and_the_gateway_can_declare_itself_anew()
    {
        pump.Open(Gateway, new GatewayDouble { Failure = new FramingException(new InvalidOperationException()) }, WireVersion.Newest);
        outboxes.Find(Gateway)!.Add(Status(1));
        Assert.StartsWith($"Gateway {Gateway} is given up since what it is told cannot be carried", await log.Lines.ReadAsync(Stop), StringComparison.Ordinal);
        await IsClosedAsync();

        var gateway = new GatewayDouble();
        pump.Open(Gateway, gateway, WireVersion.Newest);
        outboxes.Find(Gateway)!.Add(Status(1));
        await gateway.Calls.Reader.ReadAsync(Stop);
    }

    [Fact]
    public async Task A_gateway_is_kept_while_a_shard_hears_it()
    {
        pump.Open(Gateway, new GatewayDouble(), WireVersion.Newest);
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(OutboxPump.GiveUp, await time.NextWaitAsync(Stop));
            outboxes.Find(Gateway)!.HeardAt = clock.Now.Steady + TimeSpan.FromSeconds(1);
            time.Advance(OutboxPump.GiveUp);
        }

        Assert.Equal(OutboxPump.GiveUp, await time.NextWaitAsync(Stop));
        time.Advance(OutboxPump.GiveUp);
        Assert.Equal(OutboxPump.LastChance, await time.NextWaitAsync(Stop));
        time.Advance(OutboxPump.LastChance);
        await log.Lines.ReadAsync(Stop);
        await IsClosedAsync();
    }

    [Fact]
    public async Task A_pause_of_the_whole_process_is_not_held_against_a_gateway()
    {
        pump.Open(Gateway, new GatewayDouble(), WireVersion.Newest);
        Assert.Equal(OutboxPump.GiveUp, await time.NextWaitAsync(Stop));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(OutboxPump.LastChance, await time.NextWaitAsync(Stop));
        outboxes.Find(Gateway)!.HeardAt = clock.Now.Steady;
        time.Advance(OutboxPump.LastChance);
        Assert.Equal(OutboxPump.GiveUp, await time.NextWaitAsync(Stop));
        Assert.NotNull(outboxes.Find(Gateway));
    }

    private static Effect.Deliver Status(long counter) => new Effect.Deliver(Gateway, UidOf("alice"), default, new DeliveryStamp(1, counter));

    private async Task NextAsync() => time.Advance(await time.NextWaitAsync(Stop));

    /// <summary>The log line comes before the end.</summary>
    private async Task IsClosedAsync()
    {
        while (outboxes.Find(Gateway) is not null)
        {
            Stop.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private sealed class GatewayDouble : IGatewayObserver
    {
        public Channel<Payload> Calls { get; } = Channel.CreateUnbounded<Payload>(); // a test makes few

        public Exception? Failure { get; set; }

        /// <summary>Whether no answer ever comes.</summary>
        public bool IsDeaf { get; set; }

        public Task DeliverAsync(Payload batch)
        {
            var outcome = IsDeaf ? new TaskCompletionSource().Task : Failure is { } failure ? Task.FromException(failure) : Task.CompletedTask;
            Calls.Writer.TryWrite(batch);
            return outcome;
        }
    }
}
