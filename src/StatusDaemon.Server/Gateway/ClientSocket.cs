using StatusDaemon.Auth;

namespace StatusDaemon.Gateway;

/// <summary>What the loop and the reading side of one connection share.</summary>
/// <param name="caller">Who logged in.</param>
/// <param name="sink">The write side.</param>
internal sealed class ClientSocket(Caller caller, IFrameSink sink)
{
    private const int MaxPings = 2;

    private static readonly TimeSpan PingAfter = TimeSpan.FromSeconds(30);

    private bool isHeard = true; // the login
    private TimeSpan heardAt;
    private int pings;

    public Caller Caller { get; } = caller;

    public IFrameSink Sink { get; } = sink;

    /// <summary>Notes that the client has sent anything. The reading side calls it.</summary>
    public void Hear() => Volatile.Write(ref isHeard, true);

    /// <summary>What a tick of the loop is to do about a client that may be silent (docs/protocol.md §11).</summary>
    /// <param name="now">By the loop's clock, which counts only while the loop is awake: what came meanwhile is read after this.</param>
    public Liveness Judge(TimeSpan now)
    {
        if (Interlocked.Exchange(ref isHeard, false))
        {
            heardAt = now;
            pings = 0;
        }

        var due = now - heardAt >= PingAfter * (pings + 1);
        return !due ? Liveness.Alive : pings++ < MaxPings ? Liveness.Silent : Liveness.Gone;
    }
}

/// <summary>What is known of a client that may be silent.</summary>
internal enum Liveness
{
    /// <summary>It was heard, or has time to answer.</summary>
    Alive,

    /// <summary>It has not been heard for long: a ping asks it.</summary>
    Silent,

    /// <summary>It has not answered.</summary>
    Gone,
}
