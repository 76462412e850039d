using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Statuses;

namespace StatusDaemon.Routing;

/// <summary>Everything that a router can be told.</summary>
public abstract record RouterInput
{
    private RouterInput()
    {
    }

    /// <summary>Whether it may change a status: the answer to a batch then says what became of it, in <see cref="ShardAnswer.Accepted"/>.</summary>
    public bool IsChange => this is Publish or Adopt;

    /// <summary>A gateway begins to declare all that it has: what this router knew of it is forgotten first.</summary>
    public sealed record Declare(GatewayId Gateway) : RouterInput;

    /// <summary>A gateway lives: its connections' leases are renewed.</summary>
    public sealed record Renew(GatewayId Gateway) : RouterInput;

    /// <summary>A gateway is gone or can't be reached any more: its leases end as if its connections had closed when it was last heard.</summary>
    public sealed record Leave(GatewayId Gateway) : RouterInput;

    /// <summary>A subscriber of this shard has connected: a lease.</summary>
    /// <param name="Actor">Its principal, for "who set it".</param>
    /// <param name="Through">Gateway and client address, for "through what".</param>
    public sealed record Open(ConnectionId Connection, Uid Subscriber, string Actor, string Through) : RouterInput;

    /// <summary>A connection has closed: its lease and its watches here end.</summary>
    public sealed record Close(ConnectionId Connection) : RouterInput;

    /// <summary>A connection subscribes to a publisher of this shard. A repeated one is answered again and counts once.</summary>
    /// <param name="Request">The gateway's number of this wish, less than 2³⁰; answers carry it, so that one to an earlier wish can be told.</param>
    public sealed record Watch(ConnectionId Connection, Uid Watcher, Uid Publisher, uint Request) : RouterInput;

    /// <summary>A connection unsubscribes. Nothing of that publisher is sent to it any more.</summary>
    public sealed record Unwatch(ConnectionId Connection, Uid Publisher) : RouterInput;

    /// <summary>A client connection publishes the status of its own subscriber.</summary>
    /// <param name="SaidAt">When, by the gateway's clock: see <see cref="ShardBatch.At"/>.</param>
    public sealed record Publish(ConnectionId Connection, Uid Publisher, Status Status, ClientTimestamp Timestamp, TimeSpan SaidAt = default) : RouterInput;

    /// <summary>A published status that had to wait on its way: it does not count if this activation has accepted since what was said after it.</summary>
    /// <param name="Age">How long ago it was said.</param>
    public sealed record Late(Publish Said, TimeSpan Age) : RouterInput;

    /// <summary>A gateway that was away declares what one of its clients said last: it counts again if the offline rule has spoken since, for somebody who was there all the time.</summary>
    /// <param name="SaidAt">When, by the clock of who is told: see <see cref="ShardBatch.At"/>. Of several connections the one that spoke last counts.</param>
    public sealed record Restore(ConnectionId Connection, Uid Publisher, Status Status, ClientTimestamp Timestamp, TimeSpan SaidAt = default) : RouterInput;

    /// <summary>Another hand than the subscriber's own client sets a status: an administrator, a PBX.</summary>
    public sealed record Set(Uid Publisher, Status Status, ClientTimestamp Timestamp, SourceKind Kind, string Actor, string Through) : RouterInput;

    /// <summary>The newest record that a gateway holds; if it is newer than ours, the store lost it and we take it over.</summary>
    public sealed record Adopt(Uid Publisher, StatusRecord Record) : RouterInput;

    /// <summary>The answer to <see cref="Effect.Read"/>; the default record where the store has none, one without a version where another program wrote it.</summary>
    public sealed record WasRead(Uid Publisher, StatusRecord Record) : RouterInput;

    /// <summary>All that the store has of this shard, in the order of versions, those without one last: from here on feed and offline rules are in force.</summary>
    public sealed record AllRead(IReadOnlyList<(Uid Publisher, StatusRecord Record)> Records) : RouterInput;

    /// <summary>The directory changed.</summary>
    public sealed record DirectoryChanged(DirectoryChange Change) : RouterInput;

    /// <summary>Time has passed: once each <see cref="RouterSettings.TickInterval"/>.</summary>
    public sealed record Tick : RouterInput
    {
        /// <summary>The only one there needs to be.</summary>
        public static readonly Tick Now = new();
    }
}
