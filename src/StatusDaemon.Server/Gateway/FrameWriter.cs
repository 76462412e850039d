using StatusDaemon.Statuses;

namespace StatusDaemon.Gateway;

/// <summary>Writes frames to clients; one that does not read fast enough is owed the latest of each publisher, and nothing waits for it.</summary>
/// <param name="fellBehind">Told of each client when its sink takes no more.</param>
internal sealed class FrameWriter(ClientTable clients, TopicTable topics, Action<Client>? fellBehind)
{
    /// <summary>Debts of a client that are not worth tidying.</summary>
    private const int FewOwed = 64;

    private readonly List<Client> dirty = [];
    private TimeSpan turn;

    /// <summary>What was sent or owed since the turn began, in frames: how much it has cost.</summary>
    public int Spent { get; private set; }

    /// <summary>Clients that frames were written to since the last flush: how much that will cost.</summary>
    public int Written => dirty.Count;

    /// <summary>Clients whose sinks take no more.</summary>
    public int Behind { get; private set; }

    /// <summary>Frames that were never written, since a newer one of the same publisher took their place.</summary>
    public long Conflated { get; private set; }

    /// <summary>Begins a turn of the loop: whoever falls behind before the next <see cref="Flush(TimeSpan)"/> does so now.</summary>
    public void BeginTurn(TimeSpan now) => (turn, Spent) = (now, 0);

    /// <summary>Shows a client what its watch lets it see of a topic, now or when it reads again.</summary>
    public void Send(Client client, Topic topic, ref TopicWatch watch)
    {
        Spent++;
        if (!watch.Is(WatchState.Owed))
        {
            if (TryWrite(client, FrameFor(topic, watch)))
            {
                return;
            }

            if (client.Backlog.Owed.Count + client.Backlog.OwedFirst.Count >= (2 * client.Topics.Count) + FewOwed)
            {
                DropDeadDebts(client);
            }

            watch.State |= WatchState.Owed;
            client.Backlog.Owed.Enqueue(topic.Slot);
        }
        else
        {
            Conflated++;
        }

        if (IsRinging(topic, watch) && !watch.Is(WatchState.OwedFirst))
        {
            watch.State |= WatchState.OwedFirst;
            client.Backlog.OwedFirst.Enqueue(topic.Slot);
        }
    }

    /// <summary>Answers a client's own message; kept for it if it is behind.</summary>
    public void Reply(Client client, byte[] frame)
    {
        if (TryWrite(client, frame))
        {
            return;
        }

        client.Backlog.Replies.Add(frame);
        if (client.Backlog.Replies.Count == Client.MaxReplies)
        {
            client.Sink.Pause();
        }
    }

    /// <summary>Sends everything that was written since the last time; one flush a client, unless it has more than a sink holds.</summary>
    public void Flush(TimeSpan now)
    {
        foreach (var client in dirty)
        {
            client.IsDirty = false;
            if (clients.Has(client) && client.BehindSince is null)
            {
                Flush(client, now);
            }
        }

        dirty.Clear();
    }

    /// <summary>A client's sink takes frames again: what it is owed goes out, what rings first.</summary>
    public void Drained(Client client, TimeSpan now)
    {
        if (clients.Has(client) && client.BehindSince is not null)
        {
            CatchUp(client);
            Flush(client, now);
        }
    }

    /// <summary>A publisher has another status before that of before could be written to anybody.</summary>
    public void Conflate(Topic topic) => Conflated += topic.Watches.Items.Length;

    /// <summary>A client is behind no more: it reads again, or is gone.</summary>
    public void CatchUp(Client client)
    {
        Behind -= client.BehindSince is null ? 0 : 1;
        client.BehindSince = null;
    }

    private void Flush(Client client, TimeSpan now)
    {
        do
        {
            WriteBacklog(client);
            if (!client.Sink.Flush())
            {
                FallBehind(client, now);
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
        while (written < client.Backlog.Replies.Count && client.Sink.TryWrite(client.Backlog.Replies[written]))
        {
            written++;
        }

        var waited = client.Backlog.Replies.Count;
        client.Backlog.Replies.RemoveRange(0, written);
        if (waited >= Client.MaxReplies && client.Backlog.Replies.Count < Client.MaxReplies)
        {
            client.Sink.Resume();
        }

        if (client.Backlog.Replies.Count == 0 && Pay(client, client.Backlog.OwedFirst, WatchState.OwedFirst) && Pay(client, client.Backlog.Owed, WatchState.Owed))
        {
            client.ForgetBacklog();
        }
    }

    /// <summary>Pays debts in their order until the sink takes no more.</summary>
    /// <param name="place">What a watch with a place in this row has.</param>
    /// <returns>Whether all are paid.</returns>
    private bool Pay(Client client, Queue<int> row, WatchState place)
    {
        while (row.TryPeek(out var slot))
        {
            ref var watch = ref topics.FindWatch(client, slot, out var topic);
            if (topic is not null && watch.Is(place))
            {
                Spent++;
                if (!TryPay(client, topic, ref watch, onlyRinging: place == WatchState.OwedFirst))
                {
                    return false;
                }

                watch.State &= ~place;
            }

            row.Dequeue(); // else it was unsubscribed, or paid with what rings
        }

        return true;
    }

    /// <returns>False if the sink takes no more.</returns>
    private static bool TryPay(Client client, Topic topic, ref TopicWatch watch, bool onlyRinging)
    {
        if (!watch.Is(WatchState.Owed) || (onlyRinging && !IsRinging(topic, watch)))
        {
            return true;
        }

        if (!watch.Is(WatchState.Confirmed))
        {
            // The verdict on it is under way; its answer pays the debt.
            watch.State |= WatchState.Asked;
        }
        else if (!(topic.IsOverdue && watch.Is(WatchState.Visible)) // else the newest is about to be sent to all
            && !client.Sink.TryWrite(FrameFor(topic, watch)))
        {
            return false;
        }

        watch.State &= ~WatchState.Owed;
        return true;
    }

    /// <summary>Takes out what was unsubscribed since it was owed, so that whoever subscribes and unsubscribes and never reads holds no more than it watches.</summary>
    private void DropDeadDebts(Client client)
    {
        Drop(client.Backlog.Owed, WatchState.Owed);
        Drop(client.Backlog.OwedFirst, WatchState.OwedFirst);

        void Drop(Queue<int> row, WatchState place)
        {
            var kept = new List<int>();
            foreach (var slot in row)
            {
                ref var watch = ref topics.FindWatch(client, slot, out var topic);
                if (topic is not null && watch.Is(place))
                {
                    watch.State &= ~place; // a topic may stand there twice: the first place counts
                    kept.Add(slot);
                }
            }

            row.Clear();
            foreach (var slot in kept)
            {
                topics.FindWatch(client, slot, out _).State |= place;
                row.Enqueue(slot);
            }
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
            FallBehind(client, turn);
            return false;
        }

        return client.Sink.TryWrite(frame);
    }

    private void FallBehind(Client client, TimeSpan since)
    {
        Behind += client.BehindSince is null ? 1 : 0;
        client.BehindSince = since;
        fellBehind?.Invoke(client);
    }

    private static bool IsRinging(Topic topic, in TopicWatch watch) => watch.Is(WatchState.Visible) && topic.Record.Shown == Status.Incoming;

    private static byte[] FrameFor(Topic topic, in TopicWatch watch) => watch.Is(WatchState.Visible) ? topic.Frame : topic.Unknown;

    private void MarkDirty(Client client)
    {
        if (!client.IsDirty)
        {
            client.IsDirty = true;
            dirty.Add(client);
        }
    }
}
