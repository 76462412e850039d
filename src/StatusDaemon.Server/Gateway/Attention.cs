using System.Diagnostics.CodeAnalysis;
using StatusDaemon.Protocol;
using StatusDaemon.Statuses;

namespace StatusDaemon.Gateway;

/// <summary>When a loop must look at its clients, and what it finds. One wheel for all of them, and no timer for any.</summary>
/// <remarks>Times are of the loop's clock, which counts only while the loop is awake: a pause of the process makes nobody silent, or slow.</remarks>
/// <param name="now">When the loop begins.</param>
/// <param name="closesAtTicketEnd">Whether a client may stay no longer than its ticket.</param>
internal sealed class Attention(TimeSpan now, Limits limits, bool closesAtTicketEnd)
{
    private readonly TimingWheel<Client> wheel = new(now);

    /// <summary>A client has just come.</summary>
    public void Begin(Client client, Moment at)
    {
        client.Silence.Hear(at.Steady);
        LookNext(client, at);
    }

    /// <summary>A client's sink has fallen behind.</summary>
    public void FellBehind(Client client, TimeSpan at) => LookAt(client, at + limits.Stalled);

    /// <summary>A client is closed, and is to be looked at once more.</summary>
    public void LookOnce(Client client, TimeSpan at)
    {
        client.LookAt = TimeSpan.MaxValue;
        LookAt(client, at);
    }

    /// <summary>The next client to look at; it may be closed by now.</summary>
    public bool TryNext(TimeSpan at, [NotNullWhen(true)] out Client? client)
    {
        while (wheel.TryNext(at, out client))
        {
            if (client.LookAt <= at)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>What there is to do about a client that is not closed; it is looked at again when something else may be.</summary>
    public Finding Judge(Client client, Moment at)
    {
        var finding =
            client.BehindSince + limits.Stalled <= at.Steady ? Finding.Stalled
            : closesAtTicketEnd && client.Caller?.TicketEnd < at.Utc ? Finding.TicketEnded
            : client.Silence.Due > at.Steady ? Finding.Well
            : client.Silence.TryPing() ? Finding.Silent
            : Finding.Gone;
        LookNext(client, at);
        return finding;
    }

    private void LookNext(Client client, Moment at)
    {
        client.LookAt = TimeSpan.MaxValue;
        var next = client.Silence.Due;
        if (client.BehindSince is { } since && since + limits.Stalled < next)
        {
            next = since + limits.Stalled;
        }

        if (closesAtTicketEnd && client.Caller?.TicketEnd is { } end && at.Steady + (end - at.Utc) < next)
        {
            next = at.Steady + (end - at.Utc);
        }

        LookAt(client, next);
    }

    /// <summary>Arranges a look unless there is an earlier one; later ones that were arranged do not count any more.</summary>
    private void LookAt(Client client, TimeSpan at)
    {
        if (at < client.LookAt)
        {
            client.LookAt = at;
            wheel.Add(client, at);
        }
    }
}

/// <summary>What a look at a client finds.</summary>
internal enum Finding
{
    /// <summary>Nothing to do.</summary>
    Well,

    /// <summary>It has not been heard for long: a ping asks it.</summary>
    Silent,

    /// <summary>It has not answered.</summary>
    Gone,

    /// <summary>It has read nothing for too long.</summary>
    Stalled,

    /// <summary>It may stay no longer than its ticket, which has ended.</summary>
    TicketEnded,
}
