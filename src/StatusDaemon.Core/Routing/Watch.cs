namespace StatusDaemon.Routing;

/// <summary>One watch of a publisher: which session, which wish of it, and what it was told.</summary>
/// <remarks>
/// Twelve bytes, since there are many times more watches than subscribers. The verdict is kept here so that a status asks no rule. The watches of one
/// session are a chain through the registers that have them: a set in each session would be an object each.
/// </remarks>
internal struct Watch(int session, uint request, bool isVisible) : ISlotted
{
    /// <summary>Slot of the register that the session watches too; or <see cref="Session.NoRegister"/>.</summary>
    public int NextWatched = Session.NoRegister;

    private const uint VisibleBit = 1u << 31;
    private const uint AnsweredBit = 1u << 30;
    private const uint RequestBits = AnsweredBit - 1;

    private uint bits = (request & RequestBits) | (isVisible ? VisibleBit : 0);

    /// <summary>Slot of the session.</summary>
    public int Slot { get; } = session;

    public uint Request
    {
        readonly get => bits & RequestBits;
        set => bits = (bits & ~RequestBits) | (value & RequestBits);
    }

    /// <summary>Whether the rules let the watcher see the publisher.</summary>
    public bool IsVisible
    {
        readonly get => (bits & VisibleBit) != 0;
        set => bits = value ? bits | VisibleBit : bits & ~VisibleBit;
    }

    /// <summary>Whether the subscription got its first answer; until then statuses are not delivered to it.</summary>
    public bool IsAnswered
    {
        readonly get => (bits & AnsweredBit) != 0;
        set => bits = value ? bits | AnsweredBit : bits & ~AnsweredBit;
    }

    /// <summary>Whether a status is for this watch.</summary>
    public readonly bool IsShown => IsVisible && IsAnswered;
}
