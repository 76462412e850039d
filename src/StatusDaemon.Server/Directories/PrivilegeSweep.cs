using StatusDaemon.Privileges;

namespace StatusDaemon.Directories;

/// <summary>One look at everything that the privilege database has: what was seen, and what of it is not in force yet. One owner, unless something else is said.</summary>
internal sealed class PrivilegeSweep
{
    private readonly Lock gate = new(); // of the marks
    private readonly HashSet<ulong> marks = [];
    private readonly Dictionary<PrivilegeItem, PrivilegeFact> facts = [];

    /// <summary>What differs from what is in force.</summary>
    public IReadOnlyDictionary<PrivilegeItem, PrivilegeFact> Facts => facts;

    /// <summary>How many items it has seen.</summary>
    public int Seen
    {
        get
        {
            lock (gate)
            {
                return marks.Count;
            }
        }
    }

    /// <summary>Notes that an item is there.</summary>
    /// <returns>Whether it was not noted yet.</returns>
    public bool See(PrivilegeItem item)
    {
        var mark = item.Mark;
        lock (gate)
        {
            return marks.Add(mark);
        }
    }

    /// <summary>Whether an item was seen.</summary>
    public bool HasSeen(PrivilegeItem item)
    {
        var mark = item.Mark;
        lock (gate)
        {
            return marks.Contains(mark);
        }
    }

    /// <summary>Notes what was read; it counts until something newer is.</summary>
    public void Note(DirectorySnapshot inForce, PrivilegeItem item, PrivilegeFact fact)
    {
        if (fact.IsIn(inForce, item))
        {
            facts.Remove(item);
        }
        else
        {
            facts[item] = fact;
        }
    }

    /// <summary>What is in force of items that were not seen: gone, or come while we looked. Any thread may call, while others see more.</summary>
    public List<PrivilegeItem> Unseen(DirectorySnapshot inForce)
    {
        List<PrivilegeItem> unseen = [];
        foreach (var subscriber in inForce.Subscribers)
        {
            foreach (var dname in subscriber.DNames)
            {
                Look(PrivilegeKind.DName, dname.ToString());
            }

            foreach (var number in subscriber.Numbers)
            {
                Look(PrivilegeKind.Number, number.ToString());
            }

            var uid = subscriber.IsDescribed || !subscriber.Rules.Equals(BlackWhiteRules.None) ? subscriber.Uid.ToString() : "";
            if (subscriber.IsDescribed)
            {
                Look(PrivilegeKind.Description, uid);
            }

            if (!subscriber.Rules.Equals(BlackWhiteRules.None))
            {
                Look(PrivilegeKind.Rules, uid);
            }
        }

        foreach (var uid in inForce.WaitingForSubscribers)
        {
            Look(PrivilegeKind.Rules, uid.ToString());
        }

        return unseen;

        void Look(PrivilegeKind kind, string name)
        {
            var item = new PrivilegeItem(kind, name);
            if (!HasSeen(item))
            {
                unseen.Add(item);
            }
        }
    }
}
