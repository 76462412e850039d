namespace StatusDaemon.Gateway;

/// <summary>What waits for a client whose sink takes no frames.</summary>
internal sealed class Backlog
{
    /// <summary>Answers to its own messages, in order.</summary>
    public List<byte[]> Replies { get; } = [];

    /// <summary>Slots of topics of which it is owed the latest, in the order of falling behind.</summary>
    public Queue<int> Owed { get; } = new();

    /// <summary>Those of them that rang while they were owed: they go first.</summary>
    public Queue<int> OwedFirst { get; } = new();

    /// <summary>Whether nothing waits.</summary>
    public bool IsEmpty => Replies.Count == 0 && Owed.Count == 0;
}
