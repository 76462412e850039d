namespace StatusDaemon.Chaos;

/// <summary>What one client is shown of one publisher, held against the guarantees of docs/protocol.md §10.</summary>
/// <param name="mayBeOffline">Whether the offline rule may speak of a publisher now.</param>
internal sealed class Lamp(Person publisher, Func<Person, bool> mayBeOffline, Func<TimeSpan> clock)
{
    private const int NotRegistered = 3;
    private const int Unknown = 8;

    /// <summary>How long after a rule that reveals was written a client may still hear of the one that hid: who comes back in a fault is answered by a shard that has not read it yet.</summary>
    private static readonly TimeSpan Reveals = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new();
    private long inConnection; // the last number of this connection
    private long acceptedBefore = publisher.Accepted; // before this connection
    private bool isHidden;
    private bool mayHide;
    private TimeSpan hiddenAt;
    private TimeSpan revealedAt = TimeSpan.MaxValue;
    private TimeSpan advancedAt;

    /// <summary>Whom it shows.</summary>
    public Person Publisher => publisher;

    /// <summary>The last number that it was told, in whatever connection; it may have been told something else since.</summary>
    public long Last { get; private set; }

    /// <summary>The number that it shows now; 0 where it shows none.</summary>
    public long Shown { get; private set; }

    /// <summary>What it shows now.</summary>
    public int Status { get; private set; }

    /// <summary>Longest time without a new number since <see cref="BeginGap"/>.</summary>
    public TimeSpan Gap { get; private set; }

    /// <summary>Whether a rule hides the publisher, and this client has been told so.</summary>
    public bool IsHidden => isHidden;

    /// <summary>Begins to measure how long no news comes.</summary>
    public void BeginGap()
    {
        lock (gate)
        {
            Gap = TimeSpan.Zero;
            advancedAt = clock();
        }
    }

    /// <summary>The time without a new number that goes on now.</summary>
    public TimeSpan OpenGap()
    {
        lock (gate)
        {
            return clock() - advancedAt;
        }
    }

    /// <summary>Whether a rule that hides was written before a moment, and is still in force, but this client was not told.</summary>
    public bool AwaitsHide(TimeSpan before)
    {
        lock (gate)
        {
            return mayHide && !isHidden && revealedAt == TimeSpan.MaxValue && hiddenAt < before;
        }
    }

    /// <summary>A rule that hides is about to be written.</summary>
    public void NoteHide()
    {
        lock (gate)
        {
            mayHide = true;
            hiddenAt = clock();
            revealedAt = TimeSpan.MaxValue;
        }
    }

    /// <summary>A rule that reveals is about to be written.</summary>
    public void NoteReveal()
    {
        lock (gate)
        {
            revealedAt = clock();
            isHidden = false;
        }
    }

    /// <summary>A new connection begins.</summary>
    public void Reconnect()
    {
        lock (gate)
        {
            (inConnection, Shown, acceptedBefore) = (0, 0, publisher.Accepted);
        }
    }

    /// <summary>Takes a notification.</summary>
    /// <param name="number">Its timestamp; 0 if it has none.</param>
    /// <returns>What is wrong with it; null if nothing is.</returns>
    public string? Take(int status, long number)
    {
        lock (gate)
        {
            (Status, Shown) = (status, number);
            if (number == 0)
            {
                return TakeUntimed(status);
            }

            if (isHidden)
            {
                return $"was told {number} of {publisher.Name} after the rule that hides him";
            }

            if (number > publisher.Said || status != Person.StatusOf(number))
            {
                return $"was told of {publisher.Name} what nobody said: {status} at {number}";
            }

            if (number < inConnection)
            {
                return $"was told {number} of {publisher.Name} after {inConnection}";
            }

            inConnection = number;
            mayHide &= clock() - revealedAt < Reveals; // before it is revealed that time is below zero
            if (number > Last)
            {
                Last = number;
                var now = clock();
                Gap = now - advancedAt > Gap ? now - advancedAt : Gap;
                advancedAt = now;
            }

            return null;
        }
    }

    private string? TakeUntimed(int status)
    {
        switch (status)
        {
            case Unknown when mayHide:
                isHidden = revealedAt == TimeSpan.MaxValue; // who was cut off hears of the rule that hid and then of the one that revealed
                return null;
            case Unknown when publisher.Accepted == 0 || (acceptedBefore == 0 && Last == 0):
                return null;
            case NotRegistered when !isHidden && mayBeOffline(publisher):
                return null;
            default:
                return $"was told {status} of {publisher.Name}, which nobody said, after {Last}";
        }
    }
}
