using StatusDaemon.Auth;

namespace StatusDaemon.Gateway;

/// <summary>What the loop and the reading side of one connection share.</summary>
/// <param name="caller">Who logged in.</param>
/// <param name="sink">The write side.</param>
internal sealed class ClientSocket(Caller caller, IFrameSink sink)
{
    private long heardAt;

    public Caller Caller { get; } = caller;

    public IFrameSink Sink { get; } = sink;

    /// <summary>When the client last sent anything, by the steady clock. The reading side writes it.</summary>
    public TimeSpan HeardAt
    {
        get => new(Volatile.Read(ref heardAt));
        set => Volatile.Write(ref heardAt, value.Ticks);
    }

    /// <summary>Pings since then. Only the loop uses it.</summary>
    public int Pings { get; set; }
}
