namespace StatusDaemon.Simulation;

/// <summary>What is under way between gateways and daemons: it may be lost, and arrives in any order until the world is calm.</summary>
/// <param name="isGentle">Whether little is lost.</param>
internal sealed class SimNetwork(Random random, bool isGentle)
{
    private readonly List<Func<Task>> messages = [];

    /// <summary>Whether nothing is lost any more.</summary>
    public bool IsCalm { get; set; }

    /// <summary>Sends what happens when it arrives.</summary>
    public void Send(Func<Task> message) => messages.Add(message);

    /// <summary>Whether a message arrives: to be asked when it is sent.</summary>
    public bool Survives() => IsCalm || random.Next(10) < (isGentle ? 9 : 7);

    /// <summary>Whether a message arrives once more.</summary>
    public bool Repeats() => !IsCalm && random.Next(5) == 0;

    /// <summary>Lets a few arrive, whichever they are.</summary>
    public async Task DeliverSomeAsync()
    {
        for (var some = random.Next(1, 6); some > 0 && messages.Count > 0; some--)
        {
            await DeliverAsync(random.Next(messages.Count));
        }
    }

    /// <summary>Lets all arrive, in order, and what they cause.</summary>
    public async Task DeliverAllAsync()
    {
        while (messages.Count > 0)
        {
            await DeliverAsync(0);
        }
    }

    private async Task DeliverAsync(int at)
    {
        var message = messages[at];
        messages.RemoveAt(at);
        await message();
    }
}
