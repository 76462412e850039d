using System.Diagnostics;
using StatusDaemon.Auth;
using StatusDaemon.Cluster;
using StatusDaemon.Names;
using StatusDaemon.Protocol;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;

namespace StatusDaemon.Gateway;

/// <summary>The clients of one gateway loop: who watches whom, what each has been told, and what it is owed.</summary>
/// <remarks>
/// Pure but for the sinks, and owned by one loop: no lock, no task, no clock. A status is one frame that is written to every allowed socket; a
/// client that does not read fast enough is owed the latest of each publisher, and nothing waits for it. Where all of them together are more than a
/// turn can write, publishers wait in a row, each for its latest: what is told is taken at once, however much it is.
/// </remarks>
internal sealed class FanOut
{
    private const uint MaxRequest = (1u << 30) - 1;

    private readonly GatewayId gateway;
    private readonly Limits limits;
    private readonly ShardLink[] links;
    private readonly ClientTable clients;
    private readonly TopicTable topics;
    private readonly FrameWriter writer;
    private readonly TakenBatches taken = new();
    private readonly Queue<Topic> overdue = new();
    private int turnFrames;
    private uint requests;

    /// <param name="shards">A power of two, the same for all members.</param>
    /// <param name="fellBehind">Told of each client when its sink takes no more.</param>
    public FanOut(GatewayId gateway, UidTable uids, int shards, Limits limits, Action<Client>? fellBehind = null)
    {
        this.gateway = gateway;
        this.limits = limits;
        clients = new ClientTable(gateway, uids);
        topics = new TopicTable(uids);
        writer = new FrameWriter(clients, topics, fellBehind);
        links = [.. Enumerable.Range(0, shards).Select(shard => new ShardLink(gateway, shard, Declare, SourceOf, Take))];
    }

    /// <summary>Ways to the shards, by number. Whoever calls shards takes batches out of them.</summary>
    public IReadOnlyList<ShardLink> Links => links;

    /// <summary>Clients connected.</summary>
    public int ClientCount => clients.Count;

    /// <summary>Publishers that somebody here watches.</summary>
    public int TopicCount => topics.Count;

    /// <inheritdoc cref="FrameWriter.Written"/>
    public int Written => writer.Written;

    /// <summary>How much waits here and on the ways to the shards.</summary>
    public GatewayLoad Load => new()
    {
        Clients = clients.Count,
        Behind = writer.Behind,
        Conflated = writer.Conflated,
        Overdue = overdue.Count,
        Away = links.Count(link => !link.IsReached || link.HasFailed),
        Waiting = links.Sum(link => link.Waiting),
        Unsaved = links.Sum(link => link.Unsaved),
    };

    /// <summary>All clients, in no order.</summary>
    public IEnumerable<Client> Clients => clients.All;

    /// <summary>Whether a client is here, and was not removed.</summary>
    public bool Has(Client client) => clients.Has(client);

    /// <summary>Takes a new client in.</summary>
    public Client Admit(Uid subscriber, ClientOrigin origin, IFrameSink sink, Caller? caller = null)
    {
        var client = clients.Add(subscriber, origin, sink, caller);
        LinkOf(client.Subscriber).Add(OpenOf(client));
        return client;
    }

    /// <summary>Forgets a client: its lease and its watches end. The sink is not touched.</summary>
    public void Remove(Client client)
    {
        if (!clients.Has(client))
        {
            return;
        }

        var told = new HashSet<ShardLink> { LinkOf(client.Subscriber) };
        while (client.Topics.Count > 0)
        {
            var topic = topics[client.Topics.Items[^1]];
            told.Add(LinkOf(topic.Publisher));
            StopWatch(client, topic);
        }

        foreach (var link in told)
        {
            link.Add(new RouterInput.Close(client.Id));
        }

        writer.CatchUp(client);
        clients.Remove(client);
    }

    /// <summary>Takes a client's message, whole or not at all.</summary>
    /// <param name="isLocal">Whether the sender belongs to this domain, so that its statuses are accepted here.</param>
    /// <param name="saidAt">When it was said, by the clock of <see cref="ShardLink.Next"/>.</param>
    /// <returns>Why it was refused; null if it was taken.</returns>
    public ErrorMessage? Take(Client client, in ClientWish wish, bool isLocal, TimeSpan saidAt = default)
    {
        if (wish.Status is not null && !isLocal)
        {
            return ErrorMessage.NotLocal;
        }

        if (!Fits(client, wish.Events))
        {
            return ErrorMessage.TooManySubscriptions;
        }

        foreach (var (uid, isSubscribe) in wish.Events)
        {
            if (isSubscribe)
            {
                StartWatch(client, uid);
            }
            else if (topics.TryGet(uid, out var topic) && StopWatch(client, topic))
            {
                LinkOf(topic.Publisher).Add(new RouterInput.Unwatch(client.Id, topic.Publisher));
            }
        }

        if (wish.Status is { } status)
        {
            client.Said = new SaidStatus(status, wish.Timestamp, saidAt);
            LinkOf(client.Subscriber).Add(new RouterInput.Publish(client.Id, client.Subscriber, status, wish.Timestamp, saidAt));
        }

        return null;
    }

    /// <summary>Begins a turn of the loop: passes on what the last one left, and whoever falls behind before the next <see cref="Flush(TimeSpan)"/> does so now.</summary>
    /// <param name="frames">Frames of statuses that it may write; the last publisher's may pass it.</param>
    public void BeginTurn(TimeSpan now, int frames)
    {
        writer.BeginTurn(now);
        turnFrames = frames;
        while (HasRoom && overdue.TryDequeue(out var topic))
        {
            topic.IsOverdue = false;
            PassOn(topic);
        }
    }

    /// <summary>Whether a publisher's latest status waits for the next turn.</summary>
    public bool IsOverdue => overdue.Count > 0;

    /// <summary>Takes what a daemon tells, once, however often it arrives. Statuses for which the turn has no room any more wait, each publisher's latest.</summary>
    public void Take(DeliveryBatch batch)
    {
        if (!taken.TryTake(batch))
        {
            return;
        }

        foreach (var delivery in batch.Deliveries)
        {
            switch (delivery)
            {
                case Effect.Deliver deliver:
                    Take(deliver);
                    break;
                case Effect.Tell tell:
                    Take(tell);
                    break;
                default:
                    throw new UnreachableException();
            }
        }
    }

    /// <summary>Answers a client's own message; kept for it if it is behind.</summary>
    public void Reply(Client client, byte[] frame) => writer.Reply(client, frame);

    /// <summary>Sends everything that was written since the last time; one flush a client, unless it has more than a sink holds.</summary>
    public void Flush(TimeSpan now) => writer.Flush(now);

    /// <summary>A client's sink takes frames again: what it is owed goes out, what rings first.</summary>
    public void Drained(Client client, TimeSpan now) => writer.Drained(client, now);

    private void StartWatch(Client client, Uid publisher)
    {
        var topic = topics.GetOrAdd(publisher);
        var request = NextRequest();
        if (client.Topics.Add(topic.Slot))
        {
            topic.Watches.Insert(~topic.Watches.Find(client.Slot), new TopicWatch(client.Slot, request, WatchState.Asked));
        }
        else
        {
            ref var watch = ref topic.Watches.Items[topic.Watches.Find(client.Slot)];
            watch.Request = request;
            watch.State = (watch.State | WatchState.Asked) & ~WatchState.Confirmed;
        }

        LinkOf(topic.Publisher).Add(new RouterInput.Watch(client.Id, client.Subscriber, topic.Publisher, request));
    }

    /// <returns>False if the client does not watch it.</returns>
    private bool StopWatch(Client client, Topic topic)
    {
        if (!client.Topics.Remove(topic.Slot))
        {
            return false;
        }

        topics.RemoveWatch(topic, client);
        return true;
    }

    private bool HasRoom => writer.Spent < turnFrames;

    private void Take(Effect.Deliver deliver)
    {
        if (topics.TryGet(deliver.Publisher, out var topic) && topic.Learn(deliver.Record, deliver.Stamp))
        {
            Show(topic);
        }
    }

    private void Take(Effect.Tell tell)
    {
        if (!clients.TryGet(tell.Connection, out var client) || !topics.TryGet(tell.Publisher, out var topic))
        {
            return;
        }

        var at = topic.Watches.Find(client.Slot);
        if (at < 0 || topic.Watches.Items[at].Request != tell.Request)
        {
            return; // the answer to an earlier wish
        }

        ref var watch = ref topic.Watches.Items[at];
        var mustSend = watch.Is(WatchState.Asked) || watch.Is(WatchState.Visible) != tell.IsVisible || (tell.IsVisible && watch.Is(WatchState.Missed));
        watch.State = (watch.State & (WatchState.Owed | WatchState.OwedFirst)) | WatchState.Confirmed | (tell.IsVisible ? WatchState.Visible : WatchState.None);
        if (tell.IsVisible && topic.Learn(tell.Record, tell.Stamp))
        {
            Show(topic); // to this client too
        }
        else if (mustSend && !(tell.IsVisible && topic.IsOverdue))
        {
            writer.Send(client, topic, ref watch);
        }
    }

    /// <summary>Sends a topic's new record to everyone who is shown it, in this turn or, if that has no room any more, when those before it are through.</summary>
    private void Show(Topic topic)
    {
        if (topic.IsOverdue)
        {
            writer.Conflate(topic);
            return; // the newest goes when it is its turn
        }

        if (HasRoom)
        {
            PassOn(topic);
            return;
        }

        topic.IsOverdue = true;
        overdue.Enqueue(topic);
    }

    private void PassOn(Topic topic)
    {
        foreach (ref var watch in topic.Watches.Items)
        {
            if (watch.Is(WatchState.Visible | WatchState.Confirmed))
            {
                writer.Send(clients[watch.Slot], topic, ref watch);
            }
            else if (!watch.Is(WatchState.Confirmed))
            {
                watch.State |= WatchState.Missed;
            }
        }
    }

    /// <summary>Appends all that a shard must know of this gateway. Every watch becomes a new wish, so that a late answer of an earlier activation confirms nothing.</summary>
    private void Declare(int shard, ICollection<RouterInput> inputs)
    {
        foreach (var client in Clients)
        {
            if (client.Subscriber.ShardOf(links.Length) == shard)
            {
                inputs.Add(OpenOf(client));
                if (client.Said is { } said)
                {
                    inputs.Add(new RouterInput.Restore(client.Id, client.Subscriber, said.Status, said.Timestamp, said.At));
                }
            }
        }

        foreach (var topic in topics.All)
        {
            if (topic.Publisher.ShardOf(links.Length) != shard)
            {
                continue;
            }

            if (!topic.Record.IsNone)
            {
                inputs.Add(new RouterInput.Adopt(topic.Publisher, topic.Record));
            }

            foreach (ref var watch in topic.Watches.Items)
            {
                var client = clients[watch.Slot];
                watch.Request = NextRequest();
                watch.State &= ~WatchState.Confirmed;
                inputs.Add(new RouterInput.Watch(client.Id, client.Subscriber, topic.Publisher, watch.Request));
            }
        }
    }

    private ChangeSource SourceOf(RouterInput.Publish publish, DateTimeOffset at) => clients.TryGet(publish.Connection, out var client)
        ? new ChangeSource(SourceKind.Client, client.Origin.Actor, client.Origin.Through, at)
        : new ChangeSource(SourceKind.Client, publish.Publisher.ToString(), "", at);

    /// <summary>Whether the connection stays within its limit after every event, in their order.</summary>
    private bool Fits(Client client, IReadOnlyList<(Uid Uid, bool IsSubscribe)> events)
    {
        if (client.Topics.Count + events.Count <= limits.SubscriptionsPerConnection)
        {
            return true;
        }

        var count = client.Topics.Count;
        foreach (var (uid, isSubscribe) in events)
        {
            var watches = topics.TryGet(uid, out var topic) && topic.Watches.Find(client.Slot) >= 0;
            count += isSubscribe == watches ? 0 : isSubscribe ? 1 : -1;
            if (count > limits.SubscriptionsPerConnection)
            {
                return false;
            }
        }

        return true;
    }

    private static RouterInput.Open OpenOf(Client client) => new(client.Id, client.Subscriber, client.Origin.Actor, client.Origin.Through);

    private ShardLink LinkOf(Uid uid) => links[uid.ShardOf(links.Length)];

    private uint NextRequest() => requests = requests == MaxRequest ? 1 : requests + 1;
}
