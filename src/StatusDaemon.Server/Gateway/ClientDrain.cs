using StatusDaemon.Protocol;

namespace StatusDaemon.Gateway;

/// <summary>Closes the clients of a loop evenly over a while, so that they do not come back all at once.</summary>
/// <param name="asked">How, and over which while.</param>
/// <param name="clients">Those that were there when it began; some may be gone when it is their turn.</param>
/// <param name="began">When it began, by the loop's clock.</param>
internal sealed class ClientDrain(LoopInput.Drain asked, Client[] clients, TimeSpan began, Action<Client, CloseCode, string> close)
{
    /// <summary>Clients that need no pace.</summary>
    private const int Few = 100;

    /// <summary>Clients closed in one turn: some milliseconds.</summary>
    private const int TurnClients = 1000;

    /// <summary>Milliseconds between two turns that close some.</summary>
    private const int Pause = 10;

    private int closed;
    private bool isLate;

    /// <inheritdoc cref="LoopInput.Drain.Code"/>
    public CloseCode Code => asked.Code;

    /// <inheritdoc cref="LoopInput.Drain.Reason"/>
    public string Reason => asked.Reason;

    /// <summary>How many milliseconds the loop may wait before it closes more; <see cref="Timeout.Infinite"/> when all are closed.</summary>
    public int Patience => closed == clients.Length ? Timeout.Infinite : isLate ? 0 : Pause;

    /// <summary>Closes those whose turn it is.</summary>
    public void CloseSome(TimeSpan now)
    {
        var due = asked.Over <= TimeSpan.Zero ? clients.Length : Few + (int)Math.Min(clients.Length, clients.Length * ((now - began) / asked.Over));
        due = Math.Min(due, clients.Length);
        isLate = due - closed > TurnClients;
        for (var until = Math.Min(due, closed + TurnClients); closed < until; closed++)
        {
            close(clients[closed], asked.Code, asked.Reason);
        }
    }
}
