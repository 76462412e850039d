using StatusDaemon.Statuses;

namespace StatusDaemon.Routing;

/// <summary>What an administrator can choose about routing.</summary>
public sealed record RouterSettings
{
    /// <summary>A gateway that is not heard for so long is gone, unless subscribers go offline sooner. Gateways are heard once a second.</summary>
    public static readonly TimeSpan GatewaySilence = TimeSpan.FromSeconds(30);

    /// <summary><c>SERVICE.offline.after</c>: how long a subscriber may have no connection; null means for ever. 3 s or more, so that three heartbeats may be lost.</summary>
    public TimeSpan? OfflineAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary><c>SERVICE.offline.status</c>: what it shows then.</summary>
    public Status OfflineStatus { get; init; } = Status.NotRegistered;
}
