namespace StatusDaemon.Routing;

/// <summary>One watch of a publisher: which connection, which wish of it, and what it was told.</summary>
/// <remarks>Eight bytes, since there are many times more watches than subscribers. The verdict is kept here so that a status asks no rule.</remarks>
internal struct Watch(int connection, uint request, bool isVisible) : ISlotted
{
    private const uint VisibleBit = 1u << 31;
    private const uint AnsweredBit = 1u << 30;
    private const uint RequestBits = AnsweredBit - 1;

    private uint bits = (request & RequestBits) | (isVisible ? VisibleBit : 0);

    /// <summary>Place of the connection in the process' table.</summary>
    public int Slot { get; } = connection;

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
