using StatusDaemon.Names;

namespace StatusDaemon.Privileges;

/// <summary>What a snapshot looks things up in. None of it changes.</summary>
internal sealed record DirectoryTables
{
    private static readonly DirectoryTables None = new();

    public SharedTable<Uid, Subscriber> ByUid { get; init; } = new(Uid.Comparer);

    /// <summary>Whom each domain name logs in; always a subscriber.</summary>
    public SharedTable<DName, Uid> ByDName { get; init; } = new(EqualityComparer<DName>.Default);

    /// <summary>Whom each number belongs to; always a subscriber.</summary>
    public SharedTable<PhoneNumber, Uid> ByNumber { get; init; } = new(EqualityComparer<PhoneNumber>.Default);

    /// <summary>Rules of UIDs that are no subscribers: they wait for them to become some.</summary>
    public SharedTable<Uid, BlackWhiteRules> Waiting { get; init; } = new(Uid.Comparer);

    /// <summary>All names that log in.</summary>
    public PrefixIndex DNames { get; init; } = PrefixIndex.Empty;

    /// <summary>All numbers that belong to somebody.</summary>
    public PrefixIndex Numbers { get; init; } = PrefixIndex.Empty;

    /// <summary>The domains of those who have one that is not the home domain.</summary>
    public PrefixIndex Domains { get; init; } = PrefixIndex.Empty;

    /// <summary>Subscribers of whom something else is shown than what leads to them.</summary>
    public int ShownOtherwise { get; init; }

    /// <summary>Tables of subscribers that come all at once.</summary>
    /// <exception cref="ArgumentException">A uid, dname or number is there twice.</exception>
    public static DirectoryTables Of(IEnumerable<Subscriber> subscribers, DirectoryPolicy policy)
    {
        var all = new Dictionary<Uid, Subscriber>(Uid.Comparer);
        Dictionary<DName, Uid?> byDName = [];
        Dictionary<PhoneNumber, Uid?> byNumber = [];
        foreach (var subscriber in subscribers)
        {
            all.Add(subscriber.Uid, subscriber);
            foreach (var dname in subscriber.DNames)
            {
                byDName.Add(dname, subscriber.Uid);
            }

            foreach (var number in subscriber.Numbers)
            {
                byNumber.Add(number, subscriber.Uid);
            }
        }

        return None.With([.. all.Values.Select(subscriber => ((Subscriber?)null, (Subscriber?)subscriber))], byDName, byNumber, [], policy);
    }

    /// <summary>Changed tables.</summary>
    /// <param name="changes">Each subscriber as it is and as it is to be, null where it is not there; none comes twice.</param>
    /// <param name="dnames">Whom these lead to; null for nobody. It agrees with the changes, as the next one does.</param>
    /// <param name="waiting">Rules of UIDs that are no subscribers afterwards; <see cref="BlackWhiteRules.None"/> to forget them.</param>
    public DirectoryTables With(
        IReadOnlyCollection<(Subscriber? Before, Subscriber? After)> changes,
        IReadOnlyDictionary<DName, Uid?> dnames,
        IReadOnlyDictionary<PhoneNumber, Uid?> numbers,
        IEnumerable<(Uid Uid, BlackWhiteRules Rules)> waiting,
        DirectoryPolicy policy)
    {
        var byUid = ByUid.Change();
        IndexChange dnamesIndex = new(), numbersIndex = new(), domainsIndex = new();
        var shownOtherwise = ShownOtherwise;
        foreach (var (before, after) in changes)
        {
            if (after is null)
            {
                byUid.Remove(before!.Uid);
            }
            else
            {
                byUid.Set(after.Uid, after);
            }

            shownOtherwise += (after is { IsShownOtherwise: true } ? 1 : 0) - (before is { IsShownOtherwise: true } ? 1 : 0);
            dnamesIndex.Note(before, after, subscriber => subscriber.DNames);
            numbersIndex.Note(before, after, subscriber => subscriber.Numbers);
            domainsIndex.Note<DomainName>(before, after, subscriber => subscriber.Domain.IsEmpty || subscriber.Domain == policy.Home ? [] : [subscriber.Domain]);
        }

        var waitingTable = Waiting.Change();
        foreach (var (uid, rules) in waiting)
        {
            if (ReferenceEquals(rules, BlackWhiteRules.None))
            {
                waitingTable.Remove(uid);
            }
            else
            {
                waitingTable.Set(uid, rules);
            }
        }

        return new DirectoryTables
        {
            ByUid = byUid.Done(),
            ByDName = Changed(ByDName, dnames),
            ByNumber = Changed(ByNumber, numbers),
            Waiting = waitingTable.Done(),
            DNames = dnamesIndex.Apply(DNames),
            Numbers = numbersIndex.Apply(Numbers),
            Domains = domainsIndex.Apply(Domains),
            ShownOtherwise = shownOtherwise,
        };
    }

    private static SharedTable<TKey, Uid> Changed<TKey>(SharedTable<TKey, Uid> table, IReadOnlyDictionary<TKey, Uid?> changes)
        where TKey : notnull
    {
        var changed = table.Change();
        foreach (var (key, uid) in changes)
        {
            if (uid is null)
            {
                changed.Remove(key);
            }
            else
            {
                changed.Set(key, uid);
            }
        }

        return changed.Done();
    }

    /// <summary>What goes out of an index and into it.</summary>
    private sealed class IndexChange
    {
        private readonly List<PrefixIndex.Entry> removed = [];
        private readonly List<PrefixIndex.Entry> added = [];

        public void Note<T>(Subscriber? before, Subscriber? after, Func<Subscriber, IReadOnlyList<T>> textsOf)
            where T : struct
        {
            IReadOnlyList<T> old = before is null ? [] : textsOf(before), next = after is null ? [] : textsOf(after);
            if (!ReferenceEquals(old, next))
            {
                removed.AddRange(old.Except(next).Select(text => new PrefixIndex.Entry(text.ToString()!, before!.Uid)));
                added.AddRange(next.Except(old).Select(text => new PrefixIndex.Entry(text.ToString()!, after!.Uid)));
            }
        }

        public PrefixIndex Apply(PrefixIndex index) => index.With(removed, added);
    }
}
