using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using StatusDaemon.Names;
using StatusDaemon.Routing;

namespace StatusDaemon.Gateway;

/// <summary>The publishers that clients of one gateway loop watch, by UID and by slot.</summary>
internal sealed class TopicTable(UidTable uids)
{
    private readonly SlotArena<Topic> topics = new();
    private readonly Dictionary<Uid, Topic> byPublisher = new(Uid.Comparer);

    /// <summary>Publishers watched.</summary>
    public int Count => byPublisher.Count;

    /// <summary>All of them, in no order.</summary>
    public IReadOnlyCollection<Topic> All => byPublisher.Values;

    public bool TryGet(Uid publisher, [NotNullWhen(true)] out Topic? topic) => byPublisher.TryGetValue(publisher, out topic);

    public Topic GetOrAdd(Uid publisher)
    {
        if (byPublisher.TryGetValue(publisher, out var topic))
        {
            return topic;
        }

        topic = new Topic(topics.NextSlot, uids.Hold(publisher));
        topics.Add(topic);
        byPublisher.Add(topic.Publisher, topic);
        return topic;
    }

    /// <summary>The topic of a slot that some client watches.</summary>
    public Topic this[int slot] => topics[slot];

    /// <summary>A client's watch of the topic in a slot, which may be empty or another's by now.</summary>
    /// <param name="topic">Null if the client does not watch it; then the reference leads nowhere.</param>
    public ref TopicWatch FindWatch(Client client, int slot, out Topic? topic)
    {
        topic = topics.Find(slot);
        var at = topic is null ? -1 : topic.Watches.Find(client.Slot);
        if (at < 0)
        {
            topic = null;
            return ref Unsafe.NullRef<TopicWatch>();
        }

        return ref topic!.Watches.Items[at];
    }

    /// <summary>Takes a client's watch out, and forgets a topic that nobody watches any more.</summary>
    public void RemoveWatch(Topic topic, Client client)
    {
        topic.Watches.RemoveAt(topic.Watches.Find(client.Slot));
        if (topic.Watches.Count == 0)
        {
            topics.Remove(topic);
            byPublisher.Remove(topic.Publisher);
            uids.Release(topic.Publisher);
        }
    }
}
