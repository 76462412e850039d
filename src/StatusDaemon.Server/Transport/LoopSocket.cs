namespace StatusDaemon.Transport;

/// <summary>A socket that a loop owns: one small object, and no task, timer or buffer while nothing happens.</summary>
/// <param name="number">The kernel's number of it.</param>
internal abstract class LoopSocket(SocketLoop loop, int number)
{
    /// <summary>The kernel's number of it.</summary>
    public int Number { get; } = number;

    /// <summary>Place in the loop's table; the loop sets it.</summary>
    public int Slot { get; set; } = -1;

    /// <summary>Whether the loop closes the number with the socket; else somebody else does.</summary>
    public virtual bool IsNumberOurs => true;

    /// <summary>Its owner.</summary>
    protected SocketLoop Loop { get; } = loop;

    /// <summary>Something can be done. It is not said again before the socket has had no more, or taken no more.</summary>
    public abstract void OnReady(Readiness what);
}
