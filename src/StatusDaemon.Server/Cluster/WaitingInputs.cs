using StatusDaemon.Names;
using StatusDaemon.Routing;

namespace StatusDaemon.Cluster;

/// <summary>What one gateway has to tell one shard, in order, until the shard can take it.</summary>
/// <remarks>
/// While it is short, everything goes out. A long one keeps only what makes a difference to the shard: the newest status of each publisher, the
/// newest wish of each watch, and of connections that came and went only the last one of each subscriber, from whose end its time to go offline
/// counts, and the one that set the status, for the record of who set it. So it is bounded by subscribers, watches and connections, not by time.
/// </remarks>
internal sealed class WaitingInputs
{
    /// <summary>Inputs that may wait before those that make no difference any more are dropped.</summary>
    public const int PatientInputs = 4096;

    private List<RouterInput> inputs = [];
    private int patience = PatientInputs;

    // A gateway counts its connections up: of a later one the shard has not heard.
    private long lastHeard;

    /// <summary>Inputs that wait.</summary>
    public int Count => inputs.Count;

    /// <summary>Adds an input after all others.</summary>
    public void Add(RouterInput input)
    {
        inputs.Add(input);
        if (inputs.Count > patience)
        {
            inputs = WhatCounts(inputs, lastHeard);
            patience = Math.Max(PatientInputs, inputs.Count * 2);
        }
    }

    /// <summary>Takes the first ones out, for the shard to hear.</summary>
    public RouterInput[] Take(int max)
    {
        RouterInput[] first = [.. inputs[..Math.Min(inputs.Count, max)]];
        inputs.RemoveRange(0, first.Length);
        if (inputs.Count == 0)
        {
            patience = PatientInputs;
        }

        foreach (var input in first)
        {
            lastHeard = Math.Max(lastHeard, ConnectionOf(input)?.Number ?? 0);
        }

        return first;
    }

    /// <summary>Begins a declaration: it and the records go before the statuses that wait.</summary>
    /// <param name="rest">Appends what follows the records.</param>
    public void Declare(RouterInput.Declare declaration, IEnumerable<RouterInput.Adopt> unsaved, Action<ICollection<RouterInput>> rest)
    {
        // Records first: a watch must not be answered with an older one.
        List<RouterInput> all = [declaration, .. unsaved, .. inputs.OfType<RouterInput.Adopt>()];
        rest(all);
        all.AddRange(inputs.OfType<RouterInput.Publish>());
        inputs = all;
    }

    /// <summary>The shard knows the gateway no more, and did not take a batch: only records and statuses are kept, the next declaration will hold the rest.</summary>
    public void Forget(IReadOnlyList<RouterInput> notTaken)
    {
        List<RouterInput> all = [.. notTaken, .. inputs];
        inputs = [.. UnsavedRecords.NewestOf(all.OfType<RouterInput.Adopt>()), .. WhatCounts([.. all.OfType<RouterInput.Publish>()], lastHeard)];
    }

    /// <summary>What of the inputs makes a difference to the shard, in order.</summary>
    /// <param name="lastHeard">The last connection of which the shard has heard: of a later one these inputs are all that there is.</param>
    private static List<RouterInput> WhatCounts(List<RouterInput> inputs, long lastHeard)
    {
        var overtaken = new HashSet<(ConnectionId?, Uid)>();
        var closed = new HashSet<ConnectionId>();
        var publishing = new HashSet<ConnectionId>();
        var connected = new HashSet<Uid>(Uid.Comparer);
        var opened = new HashSet<ConnectionId>();
        var kept = new List<RouterInput>(inputs.Count);
        for (var i = inputs.Count - 1; i >= 0; i--)
        {
            if (Counts(inputs[i]))
            {
                kept.Add(inputs[i]);
            }
        }

        kept.RemoveAll(input => input is RouterInput.Close close && close.Connection.Number > lastHeard && !opened.Contains(close.Connection));
        kept.Reverse();
        return kept;

        bool Counts(RouterInput input)
        {
            switch (input)
            {
                case RouterInput.Publish publish when overtaken.Add((null, publish.Publisher)):
                    publishing.Add(publish.Connection);
                    return true;
                case RouterInput.Publish:
                    return false;
                case RouterInput.Watch watch:
                    return !closed.Contains(watch.Connection) && overtaken.Add((watch.Connection, watch.Publisher));
                case RouterInput.Unwatch unwatch:
                    return !closed.Contains(unwatch.Connection) && overtaken.Add((unwatch.Connection, unwatch.Publisher));
                case RouterInput.Restore restore:
                    return !closed.Contains(restore.Connection);
                case RouterInput.Open open when connected.Add(open.Subscriber) || !closed.Contains(open.Connection) || publishing.Contains(open.Connection):
                    opened.Add(open.Connection);
                    return true;
                case RouterInput.Open:
                    return false;
                case RouterInput.Close close:
                    closed.Add(close.Connection);
                    return true;
                default:
                    return true;
            }
        }
    }

    private static ConnectionId? ConnectionOf(RouterInput input) => input switch
    {
        RouterInput.Open open => open.Connection,
        RouterInput.Close close => close.Connection,
        RouterInput.Watch watch => watch.Connection,
        RouterInput.Unwatch unwatch => unwatch.Connection,
        _ => null,
    };
}
