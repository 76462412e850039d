using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using StatusDaemon.Cluster;
using StatusDaemon.Names;
using StatusDaemon.Protocol;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;

namespace StatusDaemon.Gateway;

/// <summary>The clients of one gateway loop: who watches whom, what each has been told, and what it is owed.</summary>
/// <remarks>
/// Pure but for the sinks, and owned by one loop: no lock, no task, no clock. A status is one frame that is written to every allowed socket; a
/// client that does not read fast enough is owed the latest of each publisher, and nothing waits for it.
/// </remarks>
internal sealed class FanOut
{
    private const int SlotBits = 24;

    /// <summary>Debts of a client that are not worth tidying.</summary>
    private const int FewOwed = 64;

    private const uint MaxRequest = (1u << 30) - 1;

    private readonly GatewayId gateway;
    private readonly UidTable uids;
    private readonly Limits limits;
    private readonly ShardLink[] links;
    private readonly List<Client?> clients = [];
    private readonly Stack<int> freeClients = new();
    private readonly List<Topic?> topics = [];
    private readonly Stack<int> freeTopics = new();
    private readonly Dictionary<Uid, Topic> byPublisher = new(Uid.Comparer);
    private readonly Dictionary<ulong, long> lastBatch = [];
    private readonly List<Client> dirty = [];
    private long connections;
    private uint requests;
    private TimeSpan turn;

    /// <param name="shards">A power of two, the same for all members.</param>
    public FanOut(GatewayId gateway, UidTable uids, int shards, Limits limits)
    {
        this.gateway = gateway;
        this.uids = uids;
        this.limits = limits;
        links = [.. Enumerable.Range(0, shards).Select(shard => new ShardLink(gateway, shard, Declare, SourceOf))];
    }

    /// <summary>Ways to the shards, by number. Whoever calls shards takes batches out of them.</summary>
    public IReadOnlyList<ShardLink> Links => links;

    /// <summary>Clients connected.</summary>
    public int ClientCount { get; private set; }

    /// <summary>Publishers that somebody here watches.</summary>
    public int TopicCount => byPublisher.Count;

    /// <summary>All clients, in no order.</summary>
    public IEnumerable<Client> Clients => clients.OfType<Client>();

    /// <summary>The shard that owns a subscriber.</summary>
    public static int ShardOf(Uid uid, int shards) => (int)(uid.Stable & (ulong)(shards - 1));

    /// <summary>Takes a new client in.</summary>
    public Client Admit(Uid subscriber, ClientOrigin origin, IFrameSink sink)
    {
        if (!freeClients.TryPop(out var slot))
        {
            slot = clients.Count;
            clients.Add(null);
        }

        var client = new Client(slot, new ConnectionId(gateway, (++connections << SlotBits) | (long)slot), uids.Hold(subscriber), origin, sink);
        clients[slot] = client;
        ClientCount++;
        LinkOf(client.Subscriber).Add(OpenOf(client));
        return client;
    }

    /// <summary>Forgets a client: its lease and its watches end. The sink is not touched.</summary>
    public void Remove(Client client)
    {
        if (!IsHere(client))
        {
            return;
        }

        var told = new HashSet<ShardLink> { LinkOf(client.Subscriber) };
        while (client.Topics.Count > 0)
        {
            var topic = topics[client.Topics.Items[^1]]!;
            told.Add(LinkOf(topic.Publisher));
            StopWatch(client, topic);
        }

        foreach (var link in told)
        {
            link.Add(new RouterInput.Close(client.Id));
        }

        clients[client.Slot] = null;
        freeClients.Push(client.Slot);
        ClientCount--;
        uids.Release(client.Subscriber);
    }

    /// <summary>Takes a client's message, whole or not at all.</summary>
    /// <param name="isLocal">Whether the sender belongs to this domain, so that its statuses are accepted here.</param>
    /// <returns>Why it was refused; null if it was taken.</returns>
    public ErrorMessage? Take(Client client, in ClientWish wish, bool isLocal)
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
            else if (byPublisher.TryGetValue(uid, out var topic) && client.Topics.Remove(topic.Slot))
            {
                LinkOf(topic.Publisher).Add(new RouterInput.Unwatch(client.Id, topic.Publisher));
                RemoveWatch(client, topic);
            }
        }

        if (wish.Status is { } status)
        {
            LinkOf(client.Subscriber).Add(new RouterInput.Publish(client.Id, client.Subscriber, status, wish.Timestamp));
        }

        return null;
    }

    /// <summary>Takes what a daemon tells, once, however often it arrives.</summary>
    public void Take(DeliveryBatch batch)
    {
        if (lastBatch.TryGetValue(batch.Outbox, out var last) && batch.Number <= last)
        {
            return;
        }

        lastBatch[batch.Outbox] = batch.Number;
        foreach (var (_, what) in batch.Deliveries)
        {
            switch (what)
            {
                case Effect.Deliver deliver:
                    if (byPublisher.TryGetValue(deliver.Publisher, out var topic))
                    {
                        Learn(topic, deliver.Record, deliver.Stamp, except: -1);
                    }

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
    /// <returns>False if it has too many answers waiting already: it does not read, close it.</returns>
    public bool Reply(Client client, byte[] frame)
    {
        if (TryWrite(client, frame))
        {
            return true;
        }

        if (client.Replies.Count >= Client.MaxReplies)
        {
            return false;
        }

        client.Replies.Add(frame);
        return true;
    }

    /// <summary>Begins a turn of the loop: whoever falls behind before the next <see cref="Flush(TimeSpan)"/> does so now.</summary>
    public void BeginTurn(TimeSpan now) => turn = now;

    /// <summary>Sends everything that was written since the last time, one flush a client.</summary>
    public void Flush(TimeSpan now)
    {
        foreach (var client in dirty)
        {
            client.IsDirty = false;
            if (IsHere(client) && client.BehindSince is null)
            {
                Flush(client, now);
            }
        }

        dirty.Clear();
    }

    /// <summary>A client's sink takes frames again: what it is owed goes out, what rings first.</summary>
    public void Drained(Client client, TimeSpan now)
    {
        if (IsHere(client) && client.BehindSince is not null)
        {
            client.BehindSince = null;
            Flush(client, now);
        }
    }

    private void Flush(Client client, TimeSpan now)
    {
        do
        {
            WriteBacklog(client);
            if (!client.Sink.Flush())
            {
                client.BehindSince = now;
                return;
            }
        }
        while (client.HasBacklog);
    }

    /// <summary>Writes what waits for a client, as far as the sink takes it.</summary>
    private void WriteBacklog(Client client)
    {
        if (!client.HasBacklog)
        {
            return;
        }

        var written = 0;
        while (written < client.Replies.Count && client.Sink.TryWrite(client.Replies[written]))
        {
            written++;
        }

        client.Replies.RemoveRange(0, written);
        if (client.Replies.Count == 0 && WriteOwed(client, ringing: true) && WriteOwed(client, ringing: false))
        {
            client.ForgetBacklog();
        }
    }

    /// <returns>False if the sink took not all of them.</returns>
    private bool WriteOwed(Client client, bool ringing)
    {
        var kept = 0;
        var isOpen = true;
        for (var i = 0; i < client.Owed.Count; i++)
        {
            var slot = client.Owed[i];
            ref var watch = ref FindWatch(client, slot, out var topic);
            if (topic is null || !watch.Is(WatchState.Owed))
            {
                continue; // unsubscribed meanwhile
            }

            if (!watch.Is(WatchState.Confirmed))
            {
                // The verdict on it is under way; its answer pays the debt.
                watch.State = (watch.State | WatchState.Asked) & ~WatchState.Owed;
                continue;
            }

            var isRinging = watch.Is(WatchState.Visible) && topic.Record.Shown == Status.Incoming;
            if ((ringing && !isRinging) || !isOpen || !client.Sink.TryWrite(FrameFor(topic, watch)))
            {
                isOpen &= ringing && !isRinging;
                client.Owed[kept++] = slot;
                continue;
            }

            watch.State &= ~WatchState.Owed;
        }

        client.Owed.RemoveRange(kept, client.Owed.Count - kept);
        return isOpen;
    }

    private void StartWatch(Client client, Uid publisher)
    {
        var topic = GetOrAddTopic(publisher);
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

    private void StopWatch(Client client, Topic topic)
    {
        client.Topics.Remove(topic.Slot);
        RemoveWatch(client, topic);
    }

    private void RemoveWatch(Client client, Topic topic)
    {
        topic.Watches.RemoveAt(topic.Watches.Find(client.Slot));
        if (topic.Watches.Count == 0)
        {
            topics[topic.Slot] = null;
            freeTopics.Push(topic.Slot);
            byPublisher.Remove(topic.Publisher);
            uids.Release(topic.Publisher);
        }
    }

    private void Take(Effect.Tell tell)
    {
        if (!TryGet(tell.Connection, out var client) || !byPublisher.TryGetValue(tell.Publisher, out var topic))
        {
            return;
        }

        var at = topic.Watches.Find(client.Slot);
        if (at < 0 || topic.Watches.Items[at].Request != tell.Request)
        {
            return; // the answer to an earlier wish
        }

        var isNew = tell.IsVisible && Learn(topic, tell.Record, tell.Stamp, except: client.Slot);
        ref var watch = ref topic.Watches.Items[at];
        var mustSend = watch.Is(WatchState.Asked) || watch.Is(WatchState.Visible) != tell.IsVisible || (tell.IsVisible && (isNew || watch.Is(WatchState.Missed)));
        watch.State = (watch.State & WatchState.Owed) | WatchState.Confirmed | (tell.IsVisible ? WatchState.Visible : WatchState.None);
        if (mustSend)
        {
            Send(client, topic, ref watch);
        }
    }

    /// <summary>Takes a record and sends it to everyone who is shown the topic.</summary>
    /// <param name="except">Slot of a client that the caller sends to; -1 for none.</param>
    private bool Learn(Topic topic, in StatusRecord record, DeliveryStamp stamp, int except)
    {
        if (!topic.Learn(record, stamp))
        {
            return false;
        }

        foreach (ref var watch in topic.Watches.Items)
        {
            if (watch.Slot == except)
            {
                continue;
            }

            if (watch.Is(WatchState.Visible | WatchState.Confirmed))
            {
                Send(clients[watch.Slot]!, topic, ref watch);
            }
            else if (!watch.Is(WatchState.Confirmed))
            {
                watch.State |= WatchState.Missed;
            }
        }

        return true;
    }

    private void Send(Client client, Topic topic, ref TopicWatch watch)
    {
        if (watch.Is(WatchState.Owed) || TryWrite(client, FrameFor(topic, watch)))
        {
            return;
        }

        if (client.Owed.Count >= (2 * client.Topics.Count) + FewOwed)
        {
            DropDeadDebts(client);
        }

        watch.State |= WatchState.Owed;
        client.Owed.Add(topic.Slot);
    }

    /// <summary>Takes out what was unsubscribed since it was owed, so that whoever subscribes and unsubscribes and never reads holds no more than it watches.</summary>
    private void DropDeadDebts(Client client)
    {
        var owed = client.Owed;
        var kept = 0;
        for (var i = 0; i < owed.Count; i++)
        {
            ref var watch = ref FindWatch(client, owed[i], out var topic);
            if (topic is not null && watch.Is(WatchState.Owed))
            {
                watch.State &= ~WatchState.Owed; // a topic may stand there twice: the first place counts
                owed[kept++] = owed[i];
            }
        }

        owed.RemoveRange(kept, owed.Count - kept);
        foreach (var slot in owed)
        {
            FindWatch(client, slot, out _).State |= WatchState.Owed;
        }
    }

    /// <summary>Writes a frame to a client that takes frames. A turn that has more for it than the sink holds flushes in between: only the peer's slowness makes it wait.</summary>
    private bool TryWrite(Client client, byte[] frame)
    {
        if (client.BehindSince is not null || client.HasBacklog)
        {
            return false;
        }

        MarkDirty(client);
        if (client.Sink.TryWrite(frame))
        {
            return true;
        }

        if (!client.Sink.Flush())
        {
            client.BehindSince = turn;
            return false;
        }

        return client.Sink.TryWrite(frame);
    }

    private static byte[] FrameFor(Topic topic, in TopicWatch watch) => watch.Is(WatchState.Visible) ? topic.Frame : topic.Unknown;

    private void MarkDirty(Client client)
    {
        if (!client.IsDirty)
        {
            client.IsDirty = true;
            dirty.Add(client);
        }
    }

    /// <summary>Appends all that a shard must know of this gateway. Every watch becomes a new wish, so that a late answer of an earlier activation confirms nothing.</summary>
    private void Declare(int shard, ICollection<RouterInput> inputs)
    {
        foreach (var client in Clients)
        {
            if (ShardOf(client.Subscriber, links.Length) == shard)
            {
                inputs.Add(OpenOf(client));
            }
        }

        foreach (var topic in byPublisher.Values)
        {
            if (ShardOf(topic.Publisher, links.Length) != shard)
            {
                continue;
            }

            if (!topic.Record.IsNone)
            {
                inputs.Add(new RouterInput.Adopt(topic.Publisher, topic.Record));
            }

            foreach (ref var watch in topic.Watches.Items)
            {
                var client = clients[watch.Slot]!;
                watch.Request = NextRequest();
                watch.State &= ~WatchState.Confirmed;
                inputs.Add(new RouterInput.Watch(client.Id, client.Subscriber, topic.Publisher, watch.Request));
            }
        }
    }

    private ChangeSource SourceOf(RouterInput.Publish publish, DateTimeOffset at) => TryGet(publish.Connection, out var client)
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
            var watches = byPublisher.TryGetValue(uid, out var topic) && topic.Watches.Find(client.Slot) >= 0;
            count += isSubscribe == watches ? 0 : isSubscribe ? 1 : -1;
            if (count > limits.SubscriptionsPerConnection)
            {
                return false;
            }
        }

        return true;
    }

    private Topic GetOrAddTopic(Uid publisher)
    {
        if (byPublisher.TryGetValue(publisher, out var topic))
        {
            return topic;
        }

        if (!freeTopics.TryPop(out var slot))
        {
            slot = topics.Count;
            topics.Add(null);
        }

        topic = new Topic(slot, uids.Hold(publisher));
        topics[slot] = topic;
        byPublisher.Add(topic.Publisher, topic);
        return topic;
    }

    private ref TopicWatch FindWatch(Client client, int slot, out Topic? topic)
    {
        topic = topics[slot];
        var at = topic is null ? -1 : topic.Watches.Find(client.Slot);
        if (at < 0)
        {
            topic = null;
            return ref System.Runtime.CompilerServices.Unsafe.NullRef<TopicWatch>();
        }

        return ref topic!.Watches.Items[at];
    }

    private bool TryGet(ConnectionId id, [NotNullWhen(true)] out Client? client)
    {
        var slot = (int)(id.Number & ((1 << SlotBits) - 1));
        client = slot < clients.Count && clients[slot] is { } here && here.Id == id ? here : null;
        return client is not null;
    }

    private bool IsHere(Client client) => ReferenceEquals(clients[client.Slot], client);

    private static RouterInput.Open OpenOf(Client client) => new(client.Id, client.Subscriber, client.Origin.Actor, client.Origin.Through);

    private ShardLink LinkOf(Uid uid) => links[ShardOf(uid, links.Length)];

    private uint NextRequest() => requests = requests == MaxRequest ? 1 : requests + 1;
}
