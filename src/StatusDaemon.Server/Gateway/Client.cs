using StatusDaemon.Names;
using StatusDaemon.Routing;

namespace StatusDaemon.Gateway;

/// <summary>One connected client, as the loop that owns it keeps it.</summary>
/// <param name="slot">Place in the loop's table; watches name it.</param>
/// <param name="subscriber">Who it is: the directory says so, never the client.</param>
internal sealed class Client(int slot, ConnectionId id, Uid subscriber, ClientOrigin origin, IFrameSink sink) : ISlotted
{
    /// <summary>Replies that may wait for a client that does not read; one more closes it.</summary>
    /// <remarks>Twice the burst of messages that it may send by default, at most 0.5 MB: who reads at all is not closed for asking much at once.</remarks>
    public const int MaxReplies = 4096;

    /// <summary>Slots of the topics that it watches.</summary>
    public SlotSet Topics;

    private List<byte[]>? replies;
    private Queue<int>? owed;
    private Queue<int>? owedFirst;

    public int Slot { get; } = slot;

    public ConnectionId Id { get; } = id;

    public Uid Subscriber { get; } = subscriber;

    public ClientOrigin Origin { get; } = origin;

    public IFrameSink Sink { get; } = sink;

    /// <summary>Since when its sink has been behind, by the steady clock; null while it takes frames.</summary>
    public TimeSpan? BehindSince { get; set; }

    /// <summary>Whether frames were written that are not flushed yet.</summary>
    public bool IsDirty { get; set; }

    /// <summary>Answers to its own messages that could not be written yet, in order.</summary>
    public List<byte[]> Replies => replies ??= [];

    /// <summary>Slots of topics of which it is owed the latest, in the order of falling behind.</summary>
    public Queue<int> Owed => owed ??= new Queue<int>();

    /// <summary>Those of them that rang while they were owed: they go first.</summary>
    public Queue<int> OwedFirst => owedFirst ??= new Queue<int>();

    /// <summary>Whether something waits for the sink.</summary>
    public bool HasBacklog => replies is { Count: > 0 } || owed is { Count: > 0 };

    /// <summary>Gives the memory of a backlog back.</summary>
    public void ForgetBacklog() => (replies, owed, owedFirst) = (null, null, null);
}

/// <summary>Where a client comes from, for "who set it, through what".</summary>
/// <param name="Actor">Its principal.</param>
/// <param name="Through">Gateway and address.</param>
internal readonly record struct ClientOrigin(string Actor, string Through);
