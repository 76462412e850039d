using System.Globalization;
using System.Text;

namespace StatusDaemon.Load;

/// <summary>The people of one process: their UIDs, and who watches whom. The same in each run of the same sizes.</summary>
internal sealed class Community
{
    /// <summary>All UIDs have this length: they look as UUIDs do.</summary>
    public const int UidBytes = 36;

    private const int NumberDigits = 8;

    private readonly byte[] uids;
    private readonly int[][] watched;
    private readonly int[] watchers;

    /// <param name="part">Communities of other parts have other UIDs.</param>
    public Community(Scenario scenario, int part)
    {
        Count = scenario.Connections;
        uids = new byte[Count * UidBytes];
        watched = new int[Count][];
        watchers = new int[Count];
        var random = new Random(part + 1);
        for (var person = 0; person < Count; person++)
        {
            var uid = string.Create(CultureInfo.InvariantCulture, $"{random.Next():x8}-{random.Next(0x10000):x4}-4{random.Next(0x1000):x3}-a{random.Next(0x1000):x3}-{part:x4}{person:x8}");
            Encoding.ASCII.GetBytes(uid, uids.AsSpan(person * UidBytes));
        }

        for (var person = 0; person < Count; person++)
        {
            watched[person] = scenario.IsStar ? (person == 0 ? [] : [0]) : Draw(random, person, Math.Min(scenario.Watches, Count - 1));
            foreach (var other in watched[person])
            {
                watchers[other]++;
            }
        }
    }

    /// <summary>How many people there are; their numbers count from 0.</summary>
    public int Count { get; }

    /// <summary>Most that one person watches.</summary>
    public int MostWatched => watched.Max(list => list.Length);

    /// <summary>The UID of a person.</summary>
    public ReadOnlySpan<byte> UidOf(int person) => uids.AsSpan(person * UidBytes, UidBytes);

    /// <summary>Whom a person watches.</summary>
    public ReadOnlySpan<int> WatchedBy(int person) => watched[person];

    /// <summary>By how many a person is watched.</summary>
    public int WatchersOf(int person) => watchers[person];

    /// <summary>Whose UID it is; -1 if it is nobody's here.</summary>
    public int NumberOf(ReadOnlySpan<byte> uid)
    {
        if (uid.Length != UidBytes)
        {
            return -1;
        }

        // The end of a UID is the number; the rest must fit all the same.
        uint number = 0;
        foreach (var digit in uid[(UidBytes - NumberDigits)..])
        {
            number = (number << 4) | (uint)((digit & 0xF) + (digit > '9' ? 9 : 0));
        }

        return number < (uint)Count && uid.SequenceEqual(UidOf((int)number)) ? (int)number : -1;
    }

    private int[] Draw(Random random, int person, int count)
    {
        var drawn = new HashSet<int>(count);
        while (drawn.Count < count)
        {
            var other = random.Next(Count);
            if (other != person)
            {
                drawn.Add(other);
            }
        }

        return [.. drawn];
    }
}
