using Microsoft.Extensions.Time.Testing;
using StatusDaemon.Daemon;
using StatusDaemon.Gateway;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;

namespace StatusDaemon.Simulation;

/// <summary>One shard, two gateways and their clients, with a network that loses, repeats and delays, crashes, and rules that change.</summary>
/// <remarks>
/// Router, shard, outboxes, links and fan-out are the real code. The same seed gives the same history. On every third day processes are stopped for a
/// while as well. On every second day little is lost and hardly anything crashes: then much is said, by those who know each other. On every second pair
/// of days messages are framed, as between processes, and on the others handed over, as within one.
/// </remarks>
internal sealed class World : IAsyncDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    private readonly Random random;
    private readonly Random? stops;
    private readonly bool isGentle;
    private readonly bool isFraming;
    private readonly SimNetwork network;
    private readonly SimTruth truth = new();
    private readonly FakeTimeProvider time = new();
    private readonly SteadyClock clock;
    private readonly UidTable uids = new();
    private readonly SimStore store = new(incarnation: 7);
    private readonly List<SimGateway> gateways = [];
    private readonly List<SimClient> clients;
    private readonly List<SimDaemon> zombies = [];
    private SimDaemon daemon = null!;
    private ulong gatewayIds;
    private ulong outboxIds;
    private string? complaint;

    public World(int seed)
    {
        random = new Random(seed);
        stops = seed % 3 == 0 ? new Random(seed) : null;
        isGentle = seed % 2 == 1;
        isFraming = seed % 4 < 2;
        network = new SimNetwork(random, isGentle);
        clock = new SteadyClock(time);
        clients = [.. SimTruth.People.Select(person => new SimClient(person, truth.MaySee))];
        truth.Rule(hidden: [], absent: []);
    }

    public async Task<string?> RunAsync(int steps)
    {
        await StartDaemonAsync();
        gateways.Add(NewGateway());
        gateways.Add(NewGateway());
        for (var step = 0; step < steps; step++)
        {
            await StepAsync();
            if (Complaint is { } broken)
            {
                return broken;
            }
        }

        network.IsCalm = true;
        store.IsAway = false;
        BuryZombies(all: true);
        await ContinueAsync(Stopped);
        await SettleAsync();
        return Verify() ?? await StandStillAsync() ?? await LeaveAsync() ?? Complaint;
    }

    /// <summary>Everything arrives, in order, until nothing is left to say.</summary>
    private async Task SettleAsync(int rounds = 40)
    {
        for (var round = 0; round < rounds; round++)
        {
            foreach (var client in clients)
            {
                client.IsReading = true;
                Drain(client);
            }

            await PumpAsync();
            await network.DeliverAllAsync();
        }
    }

    public ValueTask DisposeAsync() => store.DisposeAsync();

    private SimDaemon[] Stopped => [.. zombies.Append(daemon).Where(owner => owner.IsStopped)];

    private SimDaemon[] Running => [.. zombies.Append(daemon).Where(owner => !owner.IsStopped)];

    private string? Complaint => complaint ?? clients.Select(client => client.Complaint).FirstOrDefault(complaint => complaint is not null);

    /// <summary>Everybody goes: whoever was there becomes not registered when the time is over, once, and nothing is held in the end.</summary>
    private async Task<string?> LeaveAsync()
    {
        foreach (var client in clients.Where(client => client.Connection is not null))
        {
            Disconnect(client);
        }

        await SettleAsync();
        List<StatusVersion> versions = [];
        for (var again = 0; again < 2; again++)
        {
            for (var waited = TimeSpan.Zero; waited <= Grace; waited += TimeSpan.FromSeconds(1))
            {
                time.Advance(TimeSpan.FromSeconds(1));
                await SettleAsync(rounds: 1);
            }

            versions.AddRange(SimTruth.People.Select(person => daemon.Router.RecordOf(person).Version));
        }

        if (!versions[..SimTruth.People.Length].SequenceEqual(versions[SimTruth.People.Length..]))
        {
            return "somebody went offline twice";
        }

        if (truth.Speakers.FirstOrDefault(person => truth.Directory.TryGet(person, out _) && daemon.Router.RecordOf(person).Shown != Status.NotRegistered) is { } left)
        {
            return $"{left} has left and is {daemon.Router.RecordOf(left).Shown}";
        }

        daemon.Router.Close();
        return uids.Count == 0 && daemon.Router.SessionCount == 0 ? null : $"{uids.Count} uids and {daemon.Router.SessionCount} sessions are left";
    }

    /// <summary>The whole machine is suspended, and nobody sees a change of anyone.</summary>
    private async Task<string?> StandStillAsync()
    {
        var before = SimTruth.People.Select(daemon.Router.RecordOf).ToArray();
        await SuspendAsync(TimeSpan.FromHours(9));
        await SettleAsync(rounds: 2);
        var changed = clients.FirstOrDefault(client => client.Connection is not null && daemon.Router.RecordOf(client.Subscriber) != before[Array.IndexOf(SimTruth.People, client.Subscriber)]);
        return changed is null ? Verify() : $"{changed.Subscriber} stayed connected while all stood still, and is {daemon.Router.RecordOf(changed.Subscriber).Shown}";
    }

    private string? Verify() => truth.Verify(daemon.Router, clients) ?? Complaint;

    private async Task StepAsync()
    {
        time.Advance(TimeSpan.FromMilliseconds(random.Next(500)));
        if (stops is not null)
        {
            await StopAsync(stops);
        }

        BuryZombies(all: false);
        var client = clients[random.Next(clients.Count)];
        switch (random.Next(100))
        {
            case >= 58 and <= 61 when isGentle && random.Next(5) > 0:
                await PumpAsync();
                break;
            case < 12 when client.Connection is null && truth.Directory.TryGet(client.Subscriber, out _):
                Connect(client);
                break;
            case < 15 when client.Connection is not null:
                Disconnect(client);
                break;
            case < 32 when client.Connection is not null:
                Subscribe(client, SimTruth.People[random.Next(SimTruth.People.Length)]);
                break;
            case < 36 when client.Connection is not null && client.Watched.Count > 0:
                Unsubscribe(client, client.Watched.ElementAt(random.Next(client.Watched.Count)));
                break;
            case < 52 when client.Connection is not null:
                Publish(client);
                break;
            case < 55:
                client.IsReading = !client.IsReading;
                Drain(client);
                break;
            case < 58:
                await ChangeRulesAsync();
                foreach (var publisher in clients.Where(client => client.Connection is not null && random.Next(2) == 0))
                {
                    Publish(publisher); // what is hidden must not overtake the hide
                }

                break;
            case 58:
                store.IsAway = !store.IsAway;
                break;
            case 59:
                await StartDaemonAsync();
                break;
            case 60:
                CrashGateway();
                break;
            case 61 when daemon.Outboxes.Find(gateways[0].Id) is not null:
                daemon.Outboxes.Remove(gateways[0].Id);
                daemon.Outstanding.Remove(gateways[0].Id);
                break;
            case < 75:
                await PumpAsync();
                break;
            default:
                await network.DeliverSomeAsync();
                break;
        }
    }

    /// <summary>Stops the daemon, or everything; whoever is stopped may go on.</summary>
    private async Task StopAsync(Random dice)
    {
        if (Stopped is { Length: > 0 } stopped)
        {
            time.Advance(TimeSpan.FromSeconds(dice.Next(20)));
            await ContinueAsync([.. stopped.Where(_ => dice.Next(4) == 0)]);
        }
        else if (dice.Next(40) == 0)
        {
            daemon.Stop(clock.Now.Steady);
        }

        if (dice.Next(60) == 0)
        {
            await SuspendAsync(TimeSpan.FromSeconds(dice.Next(100)));
        }
    }

    private async Task SuspendAsync(TimeSpan suspended)
    {
        var running = Running;
        foreach (var owner in running)
        {
            owner.Stop(clock.Now.Steady);
        }

        time.Advance(suspended);
        await ContinueAsync(running);
    }

    /// <summary>Daemons go on where they were stopped: their timers first, then what waits in the network.</summary>
    private async Task ContinueAsync(SimDaemon[] stopped)
    {
        foreach (var owner in stopped)
        {
            owner.Continue(clock.Now.Steady);
            await TickAsync(owner);
            await FollowAsync(owner);
        }
    }

    private SimGateway GatewayOf(SimClient client) => gateways.First(gateway => gateway.Id == client.Connection!.Id.Gateway);

    private void Connect(SimClient client)
    {
        client.Forget();

        // Always the same gateway: between two of them the owner's order decides, and no client could say which status was the last.
        var gateway = gateways[Array.IndexOf(SimTruth.People, client.Subscriber) % gateways.Count];
        client.Connection = gateway.FanOut.Admit(client.Subscriber, new ClientOrigin(client.Subscriber.ToString(), "sim"), client);
    }

    private void Disconnect(SimClient client)
    {
        GatewayOf(client).FanOut.Remove(client.Connection!);
        client.Connection = null;
    }

    private void Subscribe(SimClient client, Uid publisher)
    {
        client.Watched.Add(publisher.ToString());
        client.Allow(publisher.ToString());
        Take(client, new ClientWish(null, default, [(publisher, true)]));
    }

    private void Unsubscribe(SimClient client, string publisher)
    {
        client.Watched.Remove(publisher);
        client.Newest.Remove(publisher);
        Take(client, new ClientWish(null, default, [(SimTruth.Person(publisher), false)]));
    }

    private void Publish(SimClient client)
    {
        var status = (Status)random.Next(1, 8);
        Take(client, new ClientWish(status, truth.Say(client.Subscriber, status), []));
    }

    private void Take(SimClient client, ClientWish wish) =>
        Assert.Null(GatewayOf(client).FanOut.Take(client.Connection!, wish, isLocal: true));

    private void Drain(SimClient client)
    {
        if (client is { IsReading: true, Connection: { } connection } && client.Flush())
        {
            GatewayOf(client).FanOut.Drained(connection, clock.Now.Steady);
        }
    }

    private async Task ChangeRulesAsync()
    {
        var hidden = SimTruth.People.SelectMany(publisher => SimTruth.People.Select(watcher => (publisher, watcher))).Where(_ => random.Next(4) == 0).ToHashSet();
        var absent = SimTruth.People.Where(_ => random.Next(12) == 0).ToHashSet();
        truth.Rule(hidden, absent);
        foreach (var owner in zombies.Where(_ => random.Next(2) == 0).Append(daemon).Where(owner => !owner.IsStopped))
        {
            await FollowAsync(owner);
        }

        AllowUnknown();
        foreach (var removed in clients.Where(client => absent.Contains(client.Subscriber)))
        {
            // What was under way is not taken any more.
            truth.Forget(removed.Subscriber);
            if (removed.Connection is not null)
            {
                Disconnect(removed);
            }
        }
    }

    private async Task FollowAsync(SimDaemon owner)
    {
        await owner.Shard.TakeAsync(new RouterInput.DirectoryChanged(DirectoryChange.Between(owner.Directory, truth.Directory)), CancellationToken.None);
        owner.Directory = truth.Directory;
    }

    private async Task StartDaemonAsync()
    {
        if (daemon is not null)
        {
            zombies.Add(daemon);
            BuryZombies(all: random.Next(2) == 0);
        }

        var epoch = await store.NextEpochAsync(0, CancellationToken.None);
        var outboxes = new Outboxes();
        var router = new Router(new RouterSettings { OfflineAfter = Grace }, uids, truth.Directory, store.Incarnation, epoch, clock.Now);
        daemon = new SimDaemon(router, new RouterShard(0, router, outboxes, store, clock), outboxes, truth.Directory, clock.Now.Steady);
        if (random.Next(2) == 0)
        {
            await ReadAllAsync(daemon);
        }
        else
        {
            var reader = daemon;
            network.Send(() => ReadAllAsync(reader));
        }
    }

    /// <summary>A daemon that was replaced lives on for a while: it answers and delivers late, but does not reach the disk any more.</summary>
    private void BuryZombies(bool all)
    {
        foreach (var zombie in zombies.Where(_ => all || random.Next(20) == 0).ToArray())
        {
            zombie.IsDead = true;
            zombie.Router.Close();
            zombies.Remove(zombie);
        }
    }

    private void AllowUnknown()
    {
        foreach (var client in clients)
        {
            foreach (var publisher in client.Watched)
            {
                client.Allow(publisher);
            }
        }
    }

    private async Task ReadAllAsync(SimDaemon reader)
    {
        if (reader.IsDead)
        {
            return;
        }

        if (reader.IsStopped)
        {
            network.Send(() => ReadAllAsync(reader));
            return;
        }

        List<(Uid, StatusRecord)> all = [];
        await foreach (var (uid, record) in store.ScanAsync(CancellationToken.None))
        {
            all.Add((uid, record));
        }

        await reader.Shard.TakeAsync(new RouterInput.AllRead(all), CancellationToken.None);
    }

    private SimGateway NewGateway() => new(new GatewayId(++gatewayIds), uids);

    /// <summary>A gateway dies with everything that no daemon has accepted: its clients' unanswered statuses are not held against anyone.</summary>
    private void CrashGateway()
    {
        var at = random.Next(gateways.Count);
        var dead = gateways[at];
        dead.IsDead = true;
        gateways[at] = NewGateway();
        foreach (var client in clients.Where(client => client.Connection?.Id.Gateway == dead.Id))
        {
            dead.FanOut.Remove(client.Connection!);
            client.Connection = null;
        }

        // What it had not passed on is lost with it, so only what is published from now on can be asked for.
        truth.ForgetAll();
    }

    private async Task PumpAsync()
    {
        foreach (var gateway in gateways)
        {
            BeginTurn(gateway);
            gateway.FanOut.Flush(clock.Now.Steady);
            var link = gateway.FanOut.Links[0];
            if (!link.IsBusy)
            {
                var batch = link.Next();
                if (batch.Number != gateway.LastBatch.Number)
                {
                    gateway.LastBatch = (batch.Number, [.. gateway.FanOut.Clients.Select(client => client.Subscriber)]);
                }

                Call(gateway, batch);
            }

            foreach (var owner in Running)
            {
                if (!owner.Outstanding.ContainsKey(gateway.Id) && owner.Outboxes.Find(gateway.Id) is { } outbox && outbox.Take() is { } batch)
                {
                    owner.Outstanding[gateway.Id] = (outbox, batch);
                }

                if (owner.Outstanding.TryGetValue(gateway.Id, out var outstanding))
                {
                    Deliver(owner, gateway, outstanding.Batch);
                }
            }
        }

        foreach (var owner in Running)
        {
            await TickAsync(owner);
        }

        if (daemon.IsStopped)
        {
            return;
        }

        try
        {
            await daemon.Shard.SaveAsync(CancellationToken.None);
        }
        catch (SimStore.StoreAwayException)
        {
            // The feed keeps it until the disk is back.
        }
    }

    /// <summary>Time passes for a daemon: nobody may go offline who was connected within the grace, as far as it could know while it ran.</summary>
    private async Task TickAsync(SimDaemon owner)
    {
        var before = SimTruth.People.Select(owner.Router.RecordOf).ToArray();
        await owner.Shard.TickAsync(CancellationToken.None);
        foreach (var (person, earlier) in SimTruth.People.Zip(before))
        {
            var record = owner.Router.RecordOf(person);
            // Decided now: the store may also have told, with this tick, what was decided before.
            if (record.Version != earlier.Version && record.Source.Kind == SourceKind.Offline && record.Source.At == clock.Now.Utc)
            {
                truth.Forget(person);
                var gone = owner.UnheardFor(person, clock.Now.Steady);
                if (gone < Grace)
                {
                    complaint ??= $"{person} went offline after {gone}";
                }
            }
        }
    }

    /// <summary>Calls the shard that lives when the call arrives; call or answer may be lost, the call may arrive again later.</summary>
    private void Call(SimGateway gateway, ShardBatch batch)
    {
        var isAnswered = network.Survives();
        var arrives = network.Survives();
        network.Send(async () =>
        {
            if (gateway.IsDead)
            {
                return;
            }

            var answer = arrives ? await TakeAsync(gateway, batch) : null;
            if (answer is not null && isAnswered)
            {
                BeginTurn(gateway);
                gateway.FanOut.Links[0].Answered(Carry(gateway, answer, bytes => ShardAnswer.Parse(bytes, gateway.Id, uids)));
                gateway.FanOut.Flush(clock.Now.Steady);
            }
            else
            {
                gateway.FanOut.Links[0].Failed();
            }
        });
        if (network.Repeats())
        {
            network.Send(() => TakeAsync(gateway, batch));
        }
    }

    private async Task<ShardAnswer?> TakeAsync(SimGateway gateway, ShardBatch sent)
    {
        // A call of a dead gateway may arrive as well, but then nobody could say which status was the last.
        if (gateway.IsDead)
        {
            return null;
        }

        var batch = Carry(gateway, sent, bytes => ShardBatch.Parse(bytes, uids));
        var owner = zombies.Count > 0 && random.Next(3) == 0 ? zombies[random.Next(zombies.Count)] : daemon;
        if (owner.IsStopped)
        {
            return null; // nobody waits for so long
        }

        if (batch.Declares)
        {
            owner.Outboxes.TryAdd(gateway.Id, new Outbox(++outboxIds));
            AllowUnknown();
        }

        var answer = await owner.Shard.TakeAsync(batch, CancellationToken.None);
        if (!answer.MustDeclare)
        {
            foreach (var publish in batch.Inputs.OfType<RouterInput.Publish>())
            {
                truth.Accepted(publish.Timestamp, under: owner.Directory);
            }

            if (batch.Number == gateway.LastBatch.Number && batch.Activation == owner.Router.Activation)
            {
                foreach (var person in gateway.LastBatch.Connected)
                {
                    owner.Renew(person, clock.Now.Steady);
                }
            }
        }

        return answer;
    }

    private void Deliver(SimDaemon sender, SimGateway gateway, DeliveryBatch batch)
    {
        var arrives = network.Survives();
        var isAcknowledged = network.Survives();
        network.Send(() =>
        {
            if (arrives && !gateway.IsDead)
            {
                BeginTurn(gateway);
                gateway.FanOut.Take(Carry(gateway, batch, bytes => DeliveryBatch.Parse(bytes, gateway.Id, uids)));
                gateway.FanOut.Flush(clock.Now.Steady);
                if (isAcknowledged && sender.Outstanding.TryGetValue(gateway.Id, out var outstanding) && outstanding.Batch == batch)
                {
                    sender.Outstanding.Remove(gateway.Id);
                }
            }

            return Task.CompletedTask;
        });
    }

    /// <summary>Carries a message of a gateway, or to it.</summary>
    private T Carry<T>(SimGateway gateway, T message, Func<byte[], T> parse)
        where T : IFramed => isFraming ? parse(message.ToBytes(gateway.Version)) : message;

    /// <summary>A turn has room for a frame or two, until the world is calm.</summary>
    private void BeginTurn(SimGateway gateway) => gateway.FanOut.BeginTurn(clock.Now.Steady, network.IsCalm ? int.MaxValue : random.Next(3));
}
