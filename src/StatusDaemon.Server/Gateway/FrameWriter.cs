using StatusDaemon.Statuses;

namespace StatusDaemon.Gateway;

/// <summary>Writes frames to clients; one that does not read fast enough is owed the latest of each publisher, and nothing waits for it.</summary>
internal sealed class FrameWriter(ClientTable clients, TopicTable topics)
{
    /// <summary>Debts of a client that are not worth tidying.</summary>
    private const int FewOwed = 64;

    private readonly List<Client> dirty = [];
    private TimeSpan turn;

    /// <summary>Begins a turn of the loop: whoever falls behind before the next <see cref="Flush(TimeSpan)"/> does so now.</summary>
    public void BeginTurn(TimeSpan now) => turn = now;

    /// <summary>Shows a client what its watch lets it see of a topic, now or when it reads again.</summary>
    public void Send(Client client, Topic topic, ref TopicWatch watch)
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

    /// <summary>Answers a client's own message; kept for it if it is behind.</summary>
    /// <returns>False if it has too many answers waiting already.</returns>
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

    /// <summary>Sends everything that was written since the last time, one flush a client.</summary>
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
            ref var watch = ref topics.FindWatch(client, slot, out var topic);
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

            if (topic.IsOverdue && watch.Is(WatchState.Visible))
            {
                watch.State &= ~WatchState.Owed; // the newest is about to be sent to all
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

    /// <summary>Takes out what was unsubscribed since it was owed, so that whoever subscribes and unsubscribes and never reads holds no more than it watches.</summary>
    private void DropDeadDebts(Client client)
    {
        var owed = client.Owed;
        var kept = 0;
        for (var i = 0; i < owed.Count; i++)
        {
            ref var watch = ref topics.FindWatch(client, owed[i], out var topic);
            if (topic is not null && watch.Is(WatchState.Owed))
            {
                watch.State &= ~WatchState.Owed; // a topic may stand there twice: the first place counts
                owed[kept++] = owed[i];
            }
        }

        owed.RemoveRange(kept, owed.Count - kept);
        foreach (var slot in owed)
        {
            topics.FindWatch(client, slot, out _).State |= WatchState.Owed;
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
}
