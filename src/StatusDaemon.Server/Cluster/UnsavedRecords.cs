using StatusDaemon.Names;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;

namespace StatusDaemon.Cluster;

/// <summary>The records that one shard has accepted and not said to be in the store yet, in the order of acceptance.</summary>
/// <remarks>While the store is away only the newest record of each publisher is kept, so that it never holds more than twice as many as there are publishers.</remarks>
internal sealed class UnsavedRecords
{
    /// <summary>Records that may wait before those that a later one has overtaken are dropped.</summary>
    public const int PatientRecords = 4096;

    private Queue<RouterInput.Adopt> records = new();
    private int patience = PatientRecords;

    /// <summary>Records that wait.</summary>
    public int Count => records.Count;

    /// <summary>Adds a record under the version that the shard gave it.</summary>
    public void Add(RouterInput.Adopt accepted)
    {
        records.Enqueue(accepted);
        if (records.Count > patience)
        {
            // In the order of versions, so that each goes as soon as the store has it.
            records = new(NewestOf(records).OrderBy(record => KeyOf(record)));
            patience = Math.Max(PatientRecords, records.Count * 2);
        }
    }

    /// <summary>Forgets what the store has.</summary>
    /// <param name="saved">Changes up to here are in it.</param>
    public void Forget(FeedKey saved)
    {
        while (records.TryPeek(out var oldest) && KeyOf(oldest) <= saved)
        {
            records.Dequeue();
        }

        if (records.Count == 0)
        {
            patience = PatientRecords;
        }
    }

    /// <summary>Hands over all of them; whoever has them keeps them from here on.</summary>
    public RouterInput.Adopt[] TakeAll()
    {
        RouterInput.Adopt[] all = [.. records];
        records.Clear();
        patience = PatientRecords;
        return all;
    }

    /// <summary>The newest record of each publisher.</summary>
    public static IEnumerable<RouterInput.Adopt> NewestOf(IEnumerable<RouterInput.Adopt> records) => records
        .GroupBy(adopt => adopt.Publisher, Uid.Comparer)
        .Select(same => same.Aggregate((newest, next) => next.Record.Version.IsNewerThan(newest.Record.Version) ? next : newest));

    private static FeedKey KeyOf(RouterInput.Adopt record) => new(record.Record.Version.Epoch, record.Record.Version.Seq);
}
