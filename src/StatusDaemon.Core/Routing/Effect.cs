using StatusDaemon.Names;
using StatusDaemon.Statuses;

namespace StatusDaemon.Routing;

/// <summary>Everything that a router can want. Saving is none of them: the store reads the change feed.</summary>
public abstract record Effect
{
    private Effect()
    {
    }

    /// <summary>A new status for a gateway that has at least one watcher who may see it.</summary>
    public sealed record Deliver(GatewayId Gateway, Uid Publisher, StatusRecord Record, DeliveryStamp Stamp) : Effect;

    /// <summary>The verdict on one watch: the answer to a subscription, or a rule changed it. Kept per watch, never conflated with statuses, and sent before them.</summary>
    /// <param name="Record">What the watcher is shown; the default record where it may see nothing.</param>
    public sealed record Tell(ConnectionId Connection, Uid Publisher, uint Request, bool IsVisible, StatusRecord Record, DeliveryStamp Stamp) : Effect;

    /// <summary>The store must be asked for one record: <see cref="RouterInput.WasRead"/> answers.</summary>
    public sealed record Read(Uid Publisher) : Effect;

    /// <summary>Somebody holds a record of ours with a later epoch: the store was restored. Take a higher epoch, durably, <see cref="Router.Raise"/>, and apply the input again.</summary>
    public sealed record Outrun(long Epoch) : Effect;
}
