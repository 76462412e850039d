namespace StatusDaemon.Routing;

/// <summary>One watch of a publisher: which session, which wish of it, and what it was told.</summary>
/// <remarks>Eight bytes, since there are many times more watches than subscribers. The verdict is kept here so that a status asks no rule.</remarks>
internal readonly struct Watch(int session, uint request, bool isVisible, bool isAnswered) : ISlotted
{
    private const uint VisibleBit = 1u << 31;
    private const uint AnsweredBit = 1u << 30;

    private readonly uint bits = (request & ~(VisibleBit | AnsweredBit)) | (isVisible ? VisibleBit : 0) | (isAnswered ? AnsweredBit : 0);

    /// <summary>Slot of the session.</summary>
    public int Slot { get; } = session;

    public uint Request => bits & ~(VisibleBit | AnsweredBit);

    /// <summary>Whether the rules let the watcher see the publisher.</summary>
    public bool IsVisible => (bits & VisibleBit) != 0;

    /// <summary>Whether the subscription got its first answer; until then statuses are not delivered to it.</summary>
    public bool IsAnswered => (bits & AnsweredBit) != 0;

    /// <summary>Whether a status is for this watch.</summary>
    public bool IsShown => IsVisible && IsAnswered;
}
