using System.Globalization;
using StatusDaemon.Names;
using StatusDaemon.Privileges;
using StatusDaemon.Routing;
using StatusDaemon.Statuses;

namespace StatusDaemon.Simulation;

/// <summary>What was said under which rules, and so what must be shown in the end, and what may never be.</summary>
/// <remarks>Each status that is published bears a number, as its timestamp.</remarks>
internal sealed class SimTruth
{
    /// <summary>Everybody, in the order of their numbers.</summary>
    public static readonly Uid[] People = [.. Enumerable.Range(0, 5).Select(i => Uid.TryParse($"u{i}", out var uid) ? uid : throw new InvalidOperationException())];

    private readonly Dictionary<Uid, (Status Status, int Number)> said = new(Uid.Comparer);
    private readonly Dictionary<int, long> acceptedUnder = []; // number of a status: revision of the rules where it was accepted first
    private readonly Dictionary<long, DirectorySnapshot> rules = []; // by revision
    private int published;

    /// <summary>The rules in force.</summary>
    public DirectorySnapshot Directory { get; private set; } = null!;

    /// <summary>Who has said something that holds.</summary>
    public IEnumerable<Uid> Speakers => said.Keys;

    /// <summary>Somebody by name.</summary>
    public static Uid Person(string name) => People.First(person => person.ToString() == name);

    /// <summary>Puts new rules in force.</summary>
    /// <param name="hidden">Who may not see whom.</param>
    /// <param name="absent">Who is not in the directory.</param>
    public void Rule(HashSet<(Uid Publisher, Uid Watcher)> hidden, HashSet<Uid> absent)
    {
        var present = People.Where(person => !absent.Contains(person)).Select(person => new Subscriber
        {
            Uid = person,
            DName = DName.TryParse($"{person}@SIM", out var dname) ? dname : default,
            Rules = new BlackWhiteRules(People.Where(watcher => hidden.Contains((person, watcher))).Select(watcher => new Selector.One(watcher)), []),
        });
        var next = new DirectorySnapshot(present, new DirectoryPolicy()) { Revision = rules.Count + 1 };
        if (rules.Count % 4 != 0)
        {
            next = SmallDirectories.Derived(Directory, like: next); // as from a source that says what changed; the same one if nothing did
        }

        Directory = rules[next.Revision] = next;
    }

    /// <summary>Somebody publishes a status, and it holds until something newer does.</summary>
    /// <returns>Its number, as the client sends it.</returns>
    public ClientTimestamp Say(Uid publisher, Status status)
    {
        said[publisher] = (status, ++published);
        Assert.True(ClientTimestamp.TryParse(System.Text.Encoding.ASCII.GetBytes($"{published}"), quoted: true, out var number));
        return number;
    }

    /// <summary>What somebody said does not hold any more.</summary>
    public void Forget(Uid publisher) => said.Remove(publisher);

    /// <summary>Nobody can say which status of before holds.</summary>
    public void ForgetAll() => said.Clear();

    /// <summary>A daemon has accepted a status.</summary>
    public void Accepted(ClientTimestamp number, DirectorySnapshot under) => acceptedUnder.TryAdd(NumberOf(number), under.Revision);

    /// <summary>Whether somebody may be shown a status: the rules allow it, or did so at some time since it was accepted.</summary>
    public bool MaySee(Uid watcher, string publisher, int number) =>
        number == 0 || !acceptedUnder.TryGetValue(number, out var since)
        || rules.Any(pair => pair.Key >= since && pair.Value.Judge(Person(publisher), watcher).IsVisible);

    /// <summary>Compares a daemon's records with what was said, and what clients are shown with the records.</summary>
    /// <returns>What is wrong; null if all is well.</returns>
    public string? Verify(Router router, IEnumerable<SimClient> clients)
    {
        foreach (var (uid, (status, number)) in said)
        {
            var record = router.RecordOf(uid);
            if ((record.Shown, NumberOf(record.Timestamp)) != (status, number))
            {
                return $"{uid} published {status} of {number}, the daemon has {record.Shown} of {record.Timestamp}";
            }
        }

        foreach (var client in clients.Where(client => client.Connection is not null))
        {
            foreach (var publisher in client.Watched)
            {
                var uid = Person(publisher);
                var record = router.RecordOf(uid);
                var truth = Directory.Judge(uid, client.Subscriber).IsVisible ? ((int)record.Shown, NumberOf(record.Timestamp)) : ((int)Status.Unknown, 0);
                if (!client.Shown.TryGetValue(publisher, out var shown) || shown != truth)
                {
                    return $"{client.Subscriber} is shown {publisher} as {shown}, truth is {truth}";
                }
            }
        }

        return null;
    }

    private static int NumberOf(ClientTimestamp timestamp) => timestamp.IsNone ? 0 : int.Parse(timestamp.ToString(), CultureInfo.InvariantCulture);
}
