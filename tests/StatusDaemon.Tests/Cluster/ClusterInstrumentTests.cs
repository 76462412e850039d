using Microsoft.Extensions.DependencyInjection;
using StatusDaemon.Daemon;
using StatusDaemon.EndToEnd;
using StatusDaemon.Gateway;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;
using StatusDaemon.Telemetry;
using static StatusDaemon.Privileges.SmallDirectories;

namespace StatusDaemon.Cluster;

/// <summary>The instruments of shards, outboxes and gateways, as an exporter reads them.</summary>
public sealed class ClusterInstrumentTests : IDisposable
{
    private static readonly GatewayId Gateway = new(1);
    private readonly InstrumentReader read = new();

    public void Dispose() => read.Dispose();

    [Fact]
    public void Shards_are_counted_where_they_are_and_when_they_come_and_go()
    {
        var shards = new LocalShards();
        shards.Measure(read.Meter);
        shards.Add(1, () => Task.CompletedTask);
        shards.Add(2, () => Task.CompletedTask);
        shards.Remove(1, hasMoved: true);
        shards.Remove(2, hasMoved: false);
        shards.Remove(3, hasMoved: true); // was not here
        shards.Add(2, () => Task.CompletedTask);
        shards.Daemons = 3;
        Assert.Equal((1, 3, 1, 3), (read["statusd.shards.active"], read["statusd.shards.started"], read["statusd.shards.moved"], read["statusd.cluster.daemons"]));
    }

    [Fact]
    public void Outboxes_tell_what_waits_how_long_and_what_was_dropped()
    {
        var time = new WatchedTime();
        var clock = new SteadyClock(time);
        var outboxes = new Outboxes();
        outboxes.Measure(read.Meter, clock);
        Assert.Equal((0, 0, 0), (read["statusd.outboxes.open"], read["statusd.outboxes.waiting"], read["statusd.outboxes.lag"]));

        var outbox = new Outbox(9);
        outboxes.TryAdd(Gateway, outbox);
        for (var i = 0; i <= Outbox.PatientDeliveries; i++)
        {
            outbox.Add(new Effect.Deliver(Gateway, UidOf("alice"), default, new DeliveryStamp(1, i)));
        }

        Assert.Equal((1, 1, Outbox.PatientDeliveries), (read["statusd.outboxes.open"], read["statusd.outboxes.waiting"], read["statusd.outboxes.conflated"]));
        outbox.SentAt = clock.Now.Steady;
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(2, read["statusd.outboxes.lag"]);

        outboxes.Remove(Gateway);
        Assert.Equal(
            (0, 0, 0, Outbox.PatientDeliveries, 1),
            (read["statusd.outboxes.open"], read["statusd.outboxes.waiting"], read["statusd.outboxes.lag"], read["statusd.outboxes.conflated"], read["statusd.outboxes.given_up"]));
    }

    [Fact]
    public async Task A_server_that_runs_counts_its_clients_and_reaches_its_shards()
    {
        await using var server = await ServerHere.StartAsync();
        var loops = server.Services.GetRequiredService<GatewayLoops>();
        loops.Measure(read.Meter);
        server.Services.GetRequiredService<LocalShards>().Measure(read.Meter);
        server.Services.GetRequiredService<Outboxes>().Measure(read.Meter, server.Services.GetRequiredService<SteadyClock>());
        await using (await TestSocket.ConnectAsync(server, "alice"))
        {
            await read.BecomesAsync("statusd.clients", 1);
            await read.BecomesAsync("statusd.shards.away", 0);
            Assert.Equal((1, loops.All.Count, 1), (read["statusd.shards.active"], read["statusd.outboxes.open"], read["statusd.cluster.daemons"]));
        }

        await read.BecomesAsync("statusd.clients", 0);
    }
}
