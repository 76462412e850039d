using System.Globalization;
using Microsoft.Extensions.Time.Testing;
using StatusDaemon.Daemon;
using StatusDaemon.Gateway;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;

namespace StatusDaemon.Simulation;

/// <summary>One shard, two gateways and their clients, with a network that loses, repeats and delays, crashes, and rules that change.</summary>
/// <remarks>Everything but network, disk and sockets is the real code. The same seed gives the same history.</remarks>
internal sealed class World : IAsyncDisposable
{
    private static readonly Uid[] People = [.. Enumerable.Range(0, 5).Select(i => Uid.TryParse($"u{i}", out var uid) ? uid : throw new InvalidOperationException())];

    private readonly Random random;
    private readonly FakeTimeProvider time = new();
    private readonly SteadyClock clock;
    private readonly UidTable uids = new();
    private readonly SimStore store = new(incarnation: 7);
    private readonly List<SimGateway> gateways = [];
    private readonly List<SimClient> clients = [.. People.Select(person => new SimClient(person))];
    private readonly List<Func<Task>> network = [];
    private readonly Dictionary<Uid, (Status Status, int Timestamp)> accepted = new(Uid.Comparer);
    private DirectorySnapshot directory;
    private SimDaemon daemon = null!;
    private ulong gatewayIds;
    private ulong outboxIds;
    private int published;
    private bool isCalm;

    public World(int seed)
    {
        random = new Random(seed);
        clock = new SteadyClock(time);
        directory = NewDirectory(revision: 1, hidden: []);
    }

    public async Task<string?> RunAsync(int steps)
    {
        await StartDaemonAsync();
        gateways.Add(NewGateway());
        gateways.Add(NewGateway());
        for (var step = 0; step < steps; step++)
        {
            await StepAsync();
            if (clients.Select(client => client.Complaint).FirstOrDefault(complaint => complaint is not null) is { } complaint)
            {
                return complaint;
            }
        }

        isCalm = true;
        store.IsAway = false;
        for (var round = 0; round < 40; round++)
        {
            foreach (var client in clients)
            {
                client.IsReading = true;
                Drain(client);
            }

            await PumpAsync();
            while (network.Count > 0)
            {
                await DeliverAsync(0);
            }
        }

        return Verify();
    }

    public ValueTask DisposeAsync() => store.DisposeAsync();

    private string? Verify()
    {
        foreach (var (uid, (status, timestamp)) in accepted)
        {
            var record = daemon.Router.RecordOf(uid);
            if ((record.Shown, NumberOf(record.Timestamp)) != (status, timestamp))
            {
                return $"{uid} published {status} of {timestamp}, the daemon has {record.Shown} of {record.Timestamp}";
            }
        }

        foreach (var client in clients.Where(client => client.Connection is not null))
        {
            foreach (var publisher in client.Watched)
            {
                var uid = Person(publisher);
                var record = daemon.Router.RecordOf(uid);
                var truth = directory.Judge(uid, client.Subscriber).IsVisible ? ((int)record.Shown, NumberOf(record.Timestamp)) : ((int)Status.Unknown, 0);
                if (!client.Shown.TryGetValue(publisher, out var shown) || shown != truth)
                {
                    return $"{client.Subscriber} is shown {publisher} as {shown}, truth is {truth}";
                }
            }
        }

        return clients.Select(client => client.Complaint).FirstOrDefault(complaint => complaint is not null);
    }

    private async Task StepAsync()
    {
        var client = clients[random.Next(clients.Count)];
        switch (random.Next(100))
        {
            case < 12 when client.Connection is null:
                Connect(client);
                break;
            case < 15 when client.Connection is not null:
                Disconnect(client);
                break;
            case < 32 when client.Connection is not null:
                Subscribe(client, People[random.Next(People.Length)]);
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
                if (network.Count > 0)
                {
                    await DeliverAsync(random.Next(network.Count));
                }

                break;
        }
    }

    private SimGateway GatewayOf(SimClient client) => gateways.First(gateway => gateway.Id == client.Connection!.Id.Gateway);

    private void Connect(SimClient client)
    {
        client.Forget();

        // Always the same gateway: between two of them the owner's order decides, and no client could say which status was the last.
        var gateway = gateways[Array.IndexOf(People, client.Subscriber) % gateways.Count];
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
        Take(client, new ClientWish(null, default, [(publisher, true)]));
    }

    private void Unsubscribe(SimClient client, string publisher)
    {
        client.Watched.Remove(publisher);
        client.Newest.Remove(publisher);
        Take(client, new ClientWish(null, default, [(Person(publisher), false)]));
    }

    private void Publish(SimClient client)
    {
        published++;
        ClientTimestamp.TryParse(System.Text.Encoding.ASCII.GetBytes($"{published}"), quoted: true, out var timestamp);
        var status = (Status)random.Next(1, 8);
        accepted[client.Subscriber] = (status, published);
        Take(client, new ClientWish(status, timestamp, []));
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
        var hidden = People.SelectMany(publisher => People.Select(watcher => (publisher, watcher))).Where(_ => random.Next(4) == 0).ToHashSet();
        var next = NewDirectory(directory.Revision + 1, hidden);
        await daemon.Shard.TakeAsync(new RouterInput.DirectoryChanged(DirectoryChange.Between(directory, next)), CancellationToken.None);
        directory = next;
    }

    private async Task StartDaemonAsync()
    {
        if (daemon is not null)
        {
            daemon.IsDead = true;
        }

        var epoch = await store.NextEpochAsync(0, CancellationToken.None);
        var outboxes = new Outboxes();
        var router = new Router(new RouterSettings { OfflineAfter = null }, uids, directory, store.Incarnation, epoch, clock.Now);
        daemon = new SimDaemon(router, new RouterShard(0, router, outboxes, store, clock), outboxes);
        if (random.Next(2) == 0)
        {
            await ReadAllAsync(daemon);
        }
        else
        {
            var reader = daemon;
            network.Add(() => reader.IsDead ? Task.CompletedTask : ReadAllAsync(reader));
        }
    }

    private async Task ReadAllAsync(SimDaemon reader)
    {
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
            client.Connection = null;
        }

        // What it had not passed on is lost with it, so only what is published from now on can be asked for.
        accepted.Clear();
    }

    private async Task PumpAsync()
    {
        foreach (var gateway in gateways)
        {
            gateway.FanOut.Flush(clock.Now.Steady);
            var link = gateway.FanOut.Links[0];
            if (!link.IsBusy)
            {
                Call(gateway, link.Next().ToBytes());
            }

            if (!daemon.Outstanding.ContainsKey(gateway.Id) && daemon.Outboxes.Find(gateway.Id) is { } outbox && outbox.Take() is { } batch)
            {
                daemon.Outstanding[gateway.Id] = (outbox, batch);
            }

            if (daemon.Outstanding.TryGetValue(gateway.Id, out var outstanding))
            {
                Deliver(daemon, gateway, outstanding.Batch);
            }
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

    /// <summary>Calls the shard that lives when the call arrives; call or answer may be lost, the call may arrive again later.</summary>
    private void Call(SimGateway gateway, byte[] bytes)
    {
        var isAnswered = Survives();
        var arrives = Survives();
        network.Add(async () =>
        {
            if (gateway.IsDead)
            {
                return;
            }

            var answer = arrives ? await TakeAsync(gateway, bytes) : null;
            if (answer is not null && isAnswered)
            {
                gateway.FanOut.Links[0].Answered(ShardAnswer.Parse(answer, uids));
            }
            else
            {
                gateway.FanOut.Links[0].Failed();
            }
        });
        if (!isCalm && random.Next(5) == 0)
        {
            network.Add(() => TakeAsync(gateway, bytes));
        }
    }

    private async Task<byte[]?> TakeAsync(SimGateway gateway, byte[] bytes)
    {
        // A call of a dead gateway may arrive as well, but then nobody could say which status was the last.
        if (gateway.IsDead)
        {
            return null;
        }

        var batch = ShardBatch.Parse(bytes, uids);
        if (batch.Declares)
        {
            daemon.Outboxes.TryAdd(gateway.Id, new Outbox(++outboxIds));
        }

        return (await daemon.Shard.TakeAsync(batch, CancellationToken.None)).ToBytes();
    }

    private void Deliver(SimDaemon sender, SimGateway gateway, DeliveryBatch batch)
    {
        var bytes = batch.ToBytes();
        var arrives = Survives();
        var isAcknowledged = Survives();
        network.Add(() =>
        {
            if (arrives && !gateway.IsDead)
            {
                gateway.FanOut.Take(DeliveryBatch.Parse(bytes, gateway.Id, uids));
                gateway.FanOut.Flush(clock.Now.Steady);
                if (isAcknowledged && sender.Outstanding.TryGetValue(gateway.Id, out var outstanding) && outstanding.Batch == batch)
                {
                    sender.Outstanding.Remove(gateway.Id);
                }
            }

            return Task.CompletedTask;
        });
    }

    private bool Survives() => isCalm || random.Next(10) < 7;

    private async Task DeliverAsync(int at)
    {
        var message = network[at];
        network.RemoveAt(at);
        await message();
    }

    private static Uid Person(string name) => People.First(person => person.ToString() == name);

    private static int NumberOf(ClientTimestamp timestamp) => timestamp.IsNone ? 0 : int.Parse(timestamp.ToString(), CultureInfo.InvariantCulture);

    private static DirectorySnapshot NewDirectory(long revision, HashSet<(Uid Publisher, Uid Watcher)> hidden) =>
        new(
            People.Select(person => new Subscriber
            {
                Uid = person,
                DName = DName.TryParse($"{person}@SIM", out var dname) ? dname : default,
                Rules = new BlackWhiteRules(People.Where(watcher => hidden.Contains((person, watcher))).Select(watcher => new Selector.One(watcher)), []),
            }),
            new DirectoryPolicy())
        { Revision = revision };
}
