using StatusDaemon.Names;
using StatusDaemon.Statuses;

namespace StatusDaemon.Protocol;

/// <summary>What a client said in one message (docs/protocol.md §3), filled by <see cref="MessageReader"/>.</summary>
/// <remarks>
/// Reused: one object a thread or loop is enough, since reading and acting on a message never waits. Whatever it hands out is valid until it is
/// filled or cleared again. Whoever keeps one clears it after use: memory that an unusually big message needed is given up then.
/// </remarks>
public sealed class ClientMessage
{
    private readonly byte[] publisher = new byte[Uid.MaxBytes];
    private int publisherLength;

    /// <summary>The status that the sender publishes; null if the message has none.</summary>
    public Status? Status { get; internal set; }

    /// <summary>The client's own time; the default value if the message has none.</summary>
    public ClientTimestamp Timestamp { get; internal set; }

    /// <summary>How many subscriptions and unsubscriptions there are; no UID is among them twice.</summary>
    public int EventCount => Events.Count;

    /// <summary>Names of the message's attributes.</summary>
    internal NameSet Attributes { get; } = new();

    /// <summary>UIDs of the events; those that subscribe are flagged.</summary>
    internal NameSet Events { get; } = new();

    /// <summary>The UID of an event, in the order of the message: valid by the grammar of <see cref="Uid"/>.</summary>
    public ReadOnlySpan<byte> EventUid(int index) => Events[index];

    /// <summary>Whether an event subscribes; else it unsubscribes.</summary>
    public bool EventIsSubscribe(int index) => Events.IsFlagged(index);

    /// <summary>Whether this subscriber may have sent it: the message names no publisher, or him.</summary>
    public bool MayComeFrom(ReadOnlySpan<byte> uid) =>
        publisherLength == 0 || uid.SequenceEqual(publisher.AsSpan(0, publisherLength));

    /// <summary>Empties the message, and gives up the memory of an unusually big one.</summary>
    public void Clear()
    {
        Status = null;
        Timestamp = default;
        publisherLength = 0;
        Attributes.Clear();
        Events.Clear();
    }

    internal void SetPublisher(ReadOnlySpan<byte> uid)
    {
        uid.CopyTo(publisher);
        publisherLength = uid.Length;
    }
}
