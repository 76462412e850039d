using StatusDaemon.Statuses;

namespace StatusDaemon.Imitation;

/// <summary>The statuses that a test client publishes, in turn and without end.</summary>
internal sealed class StatusPlan
{
    private readonly Status[] statuses;
    private int at = -1;

    /// <summary>Keeps what is a status.</summary>
    /// <param name="unknown">What is none, in the order given.</param>
    public StatusPlan(IEnumerable<string> words, out IReadOnlyList<string> unknown)
    {
        var known = new List<Status>();
        var rest = new List<string>();
        foreach (var word in words)
        {
            if (StatusNames.TryParse(word, out var status))
            {
                known.Add(status);
            }
            else
            {
                rest.Add(word);
            }
        }

        statuses = [.. known];
        unknown = rest;
    }

    /// <summary>Whether there is nothing to publish.</summary>
    public bool IsEmpty => statuses.Length == 0;

    /// <summary>The next one. A new connection goes on where the last one ended.</summary>
    public Status Next() => statuses[at = (at + 1) % statuses.Length];

    /// <summary>The one that was published last; null before the first.</summary>
    public Status? Current => at < 0 ? null : statuses[at];
}
