using System.Diagnostics.CodeAnalysis;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Statuses;

namespace StatusDaemon.Routing;

/// <summary>Who goes offline, and when: a subscriber whose own client set its status, and which has had no connection for long enough (docs/protocol.md §10).</summary>
/// <remarks>All times are of the <see cref="AwakeClock"/>, so that neither setting the wall clock nor a router that was away takes anybody offline.</remarks>
internal sealed class OfflineRule(RouterSettings settings, RegisterTable registers)
{
    // Whom to look at again, and when: one wake a register, more only if an earlier one is needed. The register says whether it is true then, so nothing is taken out when a connection comes.
    private readonly PriorityQueue<Uid, TimeSpan> wakes = new();

    /// <summary>A gateway that is not heard for so long is gone: no later than its subscribers would go offline, but not before it can miss three heartbeats.</summary>
    public TimeSpan GatewaySilence { get; } = settings.OfflineAfter is { } after
        ? TimeSpan.FromTicks(Math.Clamp(after.Ticks, RouterSettings.HeartbeatSilence.Ticks, RouterSettings.GatewaySilence.Ticks))
        : RouterSettings.GatewaySilence;

    /// <summary>Starts the time of a subscriber without a connection anew, where the rule applies to it; else stops it.</summary>
    public void Start(Register register, TimeSpan since, DirectorySnapshot directory)
    {
        register.OfflineAt = null;
        Ensure(register, since, directory);
    }

    /// <summary>Lets the time go on where it runs already; else the same as <see cref="Start"/>.</summary>
    public void Ensure(Register register, TimeSpan since, DirectorySnapshot directory)
    {
        register.OfflineAt = settings.OfflineAfter is { } after && AppliesTo(register, directory) ? register.OfflineAt ?? since + after : null;
        WakeFor(register);
    }

    /// <summary>Finds the next subscriber whose time is over; the caller gives it its new status.</summary>
    public bool TryNext(TimeSpan now, DirectorySnapshot directory, [NotNullWhen(true)] out Register? due)
    {
        while (wakes.TryPeek(out var uid, out var wake) && wake <= now)
        {
            wakes.Dequeue();
            if (!registers.TryGet(uid, out due))
            {
                continue;
            }

            if (due.WokenAt == wake)
            {
                due.WokenAt = null;
            }

            if (due.OfflineAt <= now)
            {
                due.OfflineAt = null;
                if (AppliesTo(due, directory))
                {
                    return true;
                }
            }

            WakeFor(due);
        }

        due = null;
        return false;
    }

    private static bool AppliesTo(Register register, DirectorySnapshot directory) =>
        register.Leases == 0
        && !register.IsRemoved
        && register.Record is { IsNone: false, Source.Kind: SourceKind.Client }
        && directory.IsLocal(register.Uid);

    private void WakeFor(Register register)
    {
        if (register.OfflineAt is { } at && !(register.WokenAt <= at))
        {
            register.WokenAt = at;
            wakes.Enqueue(register.Uid, at);
        }
    }
}
