using StatusDaemon.Statuses;

namespace StatusDaemon.Routing;

/// <summary>What an administrator can choose about routing.</summary>
public sealed record RouterSettings
{
    /// <summary>How often a router is told that time has passed, and hears each gateway; of a longer time without any input it counts only so much.</summary>
    public static readonly TimeSpan TickInterval = TimeSpan.FromSeconds(1);

    /// <summary>A gateway that is not heard for so long is gone, unless subscribers go offline sooner.</summary>
    public static readonly TimeSpan GatewaySilence = TimeSpan.FromSeconds(30);

    /// <summary>A gateway is not gone sooner than after three heartbeats, however short the offline time is.</summary>
    public static readonly TimeSpan HeartbeatSilence = TimeSpan.FromSeconds(3);

    /// <summary>A status that was on its way for so long may have been overtaken by one that was said later elsewhere.</summary>
    public static readonly TimeSpan LateAfter = TimeSpan.FromSeconds(1);

    /// <summary><c>SERVICE.offline.after</c>: how long a subscriber may have no connection; 0 or more, null means for ever.</summary>
    public TimeSpan? OfflineAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary><c>SERVICE.offline.status</c>: what it shows then.</summary>
    public Status OfflineStatus { get; init; } = Status.NotRegistered;
}
