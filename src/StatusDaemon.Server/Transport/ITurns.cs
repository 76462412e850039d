namespace StatusDaemon.Transport;

/// <summary>Who works on a loop beside its sockets. Called on the loop's thread only.</summary>
internal interface ITurns
{
    /// <summary>Whether something waits for a turn. Asked before the loop falls asleep; whoever brings something later calls <see cref="SocketLoop.Wake"/>.</summary>
    bool HasWork { get; }

    /// <summary>A turn begins: sockets speak next.</summary>
    void BeginTurn();

    /// <summary>A turn ends: what has gathered goes out.</summary>
    /// <returns>How many milliseconds the next turn may wait for something to happen: 0 if there is more to do, <see cref="Timeout.Infinite"/> if there is nothing.</returns>
    int EndTurn();
}
