using StatusDaemon.Names;

namespace StatusDaemon.Storage;

/// <summary>Subscribers of whom something was said already. Any thread may call.</summary>
/// <param name="capacity">Most that are remembered; of more nothing is said.</param>
internal sealed class ToldOnce(int capacity)
{
    private readonly Lock gate = new();
    private readonly HashSet<Uid> told = new(Uid.Comparer);
    private bool isNamelessTold;

    /// <summary>Whether nothing was said of this one yet; from now on it was.</summary>
    public bool IsFirst(Uid uid)
    {
        lock (gate)
        {
            return told.Count < capacity && told.Add(uid);
        }
    }

    /// <summary>The same of whom has no UID, all of them together.</summary>
    public bool IsFirstNameless()
    {
        lock (gate)
        {
            (var was, isNamelessTold) = (isNamelessTold, true);
            return !was;
        }
    }

    /// <summary>The next time is news again.</summary>
    public void Forget(Uid uid)
    {
        lock (gate)
        {
            told.Remove(uid);
        }
    }
}
