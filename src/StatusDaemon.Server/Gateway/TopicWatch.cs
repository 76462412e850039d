using StatusDaemon.Routing;

namespace StatusDaemon.Gateway;

/// <summary>What holds for one connection that watches one publisher.</summary>
[Flags]
internal enum WatchState : byte
{
    /// <summary>Nothing yet.</summary>
    None = 0,

    /// <summary>The shard said that the watcher may see the publisher.</summary>
    Visible = 1,

    /// <summary>The shard that owns the publisher now has said so; until then statuses pass this watch by.</summary>
    Confirmed = 2,

    /// <summary>The client subscribed and must get an answer, whatever it is.</summary>
    Asked = 4,

    /// <summary>A status passed by while the watch was not confirmed.</summary>
    Missed = 8,

    /// <summary>The connection is behind: the latest is owed.</summary>
    Owed = 16,

    /// <summary>It rang while it was owed, and has a place among those that go first.</summary>
    OwedFirst = 32,
}

/// <summary>One connection's watch of a topic.</summary>
/// <param name="connection">Slot of the connection.</param>
/// <param name="request">Number of the wish; only verdicts that carry it count.</param>
internal struct TopicWatch(int connection, uint request, WatchState state) : ISlotted
{
    public uint Request = request;

    public WatchState State = state;

    public readonly int Slot => connection;

    public readonly bool Is(WatchState flags) => (State & flags) == flags;
}
