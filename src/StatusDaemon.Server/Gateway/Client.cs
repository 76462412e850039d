using StatusDaemon.Auth;
using StatusDaemon.Names;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;

namespace StatusDaemon.Gateway;

/// <summary>One connected client, as the loop that owns it keeps it.</summary>
/// <param name="slot">Place in the loop's table; watches name it.</param>
/// <param name="subscriber">Who it is: the directory says so, never the client.</param>
/// <param name="caller">Its login; null where nobody logged in, as in tests of the fan-out alone.</param>
internal sealed class Client(int slot, ConnectionId id, Uid subscriber, ClientOrigin origin, IFrameSink sink, Caller? caller) : ISlotted
{
    /// <summary>Replies waiting from which on nothing more is taken from a client, until it has read some.</summary>
    /// <remarks>Twice the burst of messages that it may send by default: who asks much at once and reads then is not held up. What it had sent by then is answered too.</remarks>
    public const int MaxReplies = 4096;

    /// <summary>Slots of the topics that it watches.</summary>
    public SlotSet Topics;

    /// <summary>When it was heard last and asked since; the reading side notes it, which may be on another thread.</summary>
    public Silence Silence;

    private Backlog? backlog;

    public int Slot { get; } = slot;

    public ConnectionId Id { get; } = id;

    public Uid Subscriber { get; } = subscriber;

    public ClientOrigin Origin { get; } = origin;

    public IFrameSink Sink { get; } = sink;

    public Caller? Caller { get; } = caller;

    /// <summary>The status that it published last; null if it has published none.</summary>
    public SaidStatus? Said { get; set; }

    /// <summary>Since when its sink has been behind, by the loop's clock; null while it takes frames.</summary>
    public TimeSpan? BehindSince { get; set; }

    /// <summary>When the loop will look at it; what was arranged for another time does not count any more.</summary>
    public TimeSpan LookAt { get; set; } = TimeSpan.MaxValue;

    /// <summary>Whether frames were written that are not flushed yet.</summary>
    public bool IsDirty { get; set; }

    /// <summary>What waits for the sink; made when it is asked for.</summary>
    public Backlog Backlog => backlog ??= new Backlog();

    /// <summary>Whether something waits for the sink.</summary>
    public bool HasBacklog => backlog is { IsEmpty: false };

    /// <summary>Gives the memory of a backlog back.</summary>
    public void ForgetBacklog() => backlog = null;
}

/// <summary>What a client said of itself.</summary>
/// <param name="At">When, by the clock of <see cref="Cluster.ShardLink.Next"/>.</param>
internal readonly record struct SaidStatus(Status Status, ClientTimestamp Timestamp, TimeSpan At);

/// <summary>Where a client comes from, for "who set it, through what".</summary>
/// <param name="Actor">Its principal.</param>
/// <param name="Through">Gateway and address.</param>
internal readonly record struct ClientOrigin(string Actor, string Through);
