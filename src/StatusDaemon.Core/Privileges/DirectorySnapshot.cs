using System.Collections;
using System.Diagnostics.CodeAnalysis;
using StatusDaemon.Names;

namespace StatusDaemon.Privileges;

/// <summary>Everything that the directory said at one moment; immutable, and replaced by one that may share nearly all with it (<see cref="DirectoryEdit"/>). Any thread may read.</summary>
public sealed class DirectorySnapshot
{
    /// <summary>A directory that knows nobody.</summary>
    public static readonly DirectorySnapshot Empty = new([], new DirectoryPolicy());

    private static readonly IAlternateEqualityComparer<ReadOnlySpan<byte>, Uid> ByUtf8 = (IAlternateEqualityComparer<ReadOnlySpan<byte>, Uid>)Uid.Comparer;

    private readonly DirectoryTables tables;
    private readonly Lineage lineage;

    /// <summary>Keeps subscribers whose uids, dnames and numbers were already found unique.</summary>
    /// <exception cref="ArgumentException">A uid, dname or number is there twice: the reader of the source should have refused it.</exception>
    public DirectorySnapshot(IEnumerable<Subscriber> subscribers, DirectoryPolicy policy)
        : this(DirectoryTables.Of(subscribers, policy), Lineage.New(), policy)
    {
    }

    private DirectorySnapshot(DirectoryTables tables, Lineage lineage, DirectoryPolicy policy)
    {
        this.tables = tables;
        this.lineage = lineage;
        Policy = policy;
        Subscribers = new Population(tables.ByUid);
    }

    /// <summary>Grows with each snapshot of one source in one process; what arrives late is told by it.</summary>
    public long Revision { get; init; }

    /// <summary>What holds where no rule and no entry speaks.</summary>
    public DirectoryPolicy Policy { get; }

    /// <summary>Everyone, in no order.</summary>
    public IReadOnlyCollection<Subscriber> Subscribers { get; }

    /// <summary>Subscribers of whom something else is shown than what leads to them.</summary>
    public int ShownOtherwise => tables.ShownOtherwise;

    internal DirectoryTables Tables => tables;

    /// <summary>Looks up a subscriber by UID.</summary>
    public bool TryGet(Uid uid, [NotNullWhen(true)] out Subscriber? subscriber) => tables.ByUid.TryGet(uid, out subscriber);

    /// <summary>Looks up a subscriber by the bytes of a UID.</summary>
    public bool TryGet(ReadOnlySpan<byte> uid, [NotNullWhen(true)] out Subscriber? subscriber) => tables.ByUid.TryGet(uid, ByUtf8, out subscriber);

    /// <summary>Looks up a subscriber by Kerberos principal.</summary>
    public bool TryGet(DName dname, [NotNullWhen(true)] out Subscriber? subscriber)
    {
        subscriber = null;
        return tables.ByDName.TryGet(dname, out var uid) && TryGet(uid, out subscriber);
    }

    /// <summary>Looks up a subscriber by phone number.</summary>
    public bool TryGet(PhoneNumber number, [NotNullWhen(true)] out Subscriber? subscriber)
    {
        subscriber = null;
        return tables.ByNumber.TryGet(number, out var uid) && TryGet(uid, out subscriber);
    }

    /// <summary>The rules of a UID, also of one that is no subscriber and whose rules wait for it to become one.</summary>
    public BlackWhiteRules RulesOf(Uid uid) =>
        TryGet(uid, out var subscriber) ? subscriber.Rules : tables.Waiting.TryGet(uid, out var waiting) ? waiting : BlackWhiteRules.None;

    /// <summary>UIDs that have rules and are no subscribers.</summary>
    public IEnumerable<Uid> WaitingForSubscribers => tables.Waiting.All.Select(pair => pair.Key);

    /// <summary>The same under another revision, for a source that goes from one line of snapshots to another.</summary>
    public DirectorySnapshot At(long revision) => revision == Revision ? this : new DirectorySnapshot(tables, lineage, Policy) { Revision = revision };

    /// <summary>Whether a subscriber may have client connections, and so set a status itself.</summary>
    public bool MayLogIn(Uid uid) => Policy.AdmitsUnknown || TryGet(uid, out _);

    /// <summary>Whether this daemon may accept statuses of a subscriber: everyone while no home domain is set, else those of it.</summary>
    public bool IsLocal(Uid uid) =>
        TryGet(uid, out var subscriber) ? IsLocal(subscriber) : Policy.AcceptsUnknown;

    /// <inheritdoc cref="IsLocal(Uid)"/>
    public bool IsLocal(Subscriber subscriber) =>
        Policy.Home.IsEmpty || subscriber.Domain.IsEmpty || subscriber.Domain == Policy.Home;

    /// <summary>May this watcher see this publisher? The rules of docs/protocol.md §9, in their order.</summary>
    public Verdict Judge(Uid publisher, Uid watcher)
    {
        if (publisher.Equals(watcher))
        {
            return new Verdict(true, VerdictReason.Self);
        }

        if (!TryGet(publisher, out var known))
        {
            return Policy.AcceptsUnknown
                ? new Verdict(Policy.AllowsByDefault, VerdictReason.Default)
                : new Verdict(false, VerdictReason.UnknownPublisher);
        }

        TryGet(watcher, out var seer);
        if (Match(known.Rules.Black, watcher, seer) is { } black)
        {
            return new Verdict(false, VerdictReason.Black, black);
        }

        if (known.Rules.White.Count > 0)
        {
            return Match(known.Rules.White, watcher, seer) is { } white
                ? new Verdict(true, VerdictReason.White, white)
                : new Verdict(false, VerdictReason.NotWhite);
        }

        return new Verdict(Policy.AllowsByDefault, VerdictReason.Default);
    }

    /// <summary>Whether any of these selectors speaks of a watcher.</summary>
    public bool IsMatched(IReadOnlyList<Selector> selectors, Uid watcher)
    {
        TryGet(watcher, out var seer);
        return Match(selectors, watcher, seer) is not null;
    }

    /// <summary>Finds whom a selector speaks of, where an index tells.</summary>
    /// <param name="most">Entries of an index that are worth looking at.</param>
    /// <param name="found">Gets those that are found; not all if the answer is false.</param>
    /// <returns>False if no index tells, or not with so few entries.</returns>
    public bool TryFind(Selector selector, int most, ICollection<Uid> found)
    {
        switch (selector)
        {
            case Selector.One one:
                found.Add(one.Uid);
                return true;
            case Selector.ByNumber { Pattern: var pattern }:
                return TryFind(tables.Numbers, pattern.Prefix, pattern.Matches, most, found);
            case Selector.ByDName { Pattern: var pattern }:
                return TryFind(tables.DNames, pattern.Prefix, pattern.Matches, most, found);
            case Selector.ByDomain { Domain: var domain } when domain != Policy.Home: // at home is also who has no domain
                return TryFind(tables.Domains, domain.ToString(), text => text.SequenceEqual(domain.ToString()), most, found);
            default:
                return false;
        }
    }

    /// <summary>The snapshot that follows this one.</summary>
    internal DirectorySnapshot Next(DirectoryTables next, Uid[] touched) =>
        new(next, lineage.With(touched, most: Math.Max(1024, next.ByUid.Count)), Policy) { Revision = Revision + 1 };

    /// <summary>Who was touched since an earlier snapshot; false if this one was not derived from it, or that is too long ago.</summary>
    internal bool TryGetTouchedSince(DirectorySnapshot earlier, ISet<Uid> touched) => lineage.TryGetSince(earlier.lineage, touched);

    private static bool TryFind(PrefixIndex index, string prefix, Func<ReadOnlySpan<char>, bool> fits, int most, ICollection<Uid> found)
    {
        if (prefix.Length == 0)
        {
            return false;
        }

        foreach (var (text, uid) in index.StartingWith(prefix))
        {
            if (--most < 0)
            {
                return false;
            }

            if (fits(text))
            {
                found.Add(uid!);
            }
        }

        return true;
    }

    private Selector? Match(IReadOnlyList<Selector> selectors, Uid watcher, Subscriber? seer)
    {
        foreach (var selector in selectors)
        {
            var matches = (selector, seer) switch
            {
                (Selector.ByDomain byDomain, { Domain.IsEmpty: true }) => byDomain.Domain == Policy.Home,
                (_, not null) => seer.IsMatchedBy(selector),
                (Selector.Everyone, null) => true,
                (Selector.One one, null) => one.Uid.Equals(watcher),
                (Selector.ByDomain byDomain, null) => Policy.AcceptsUnknown && byDomain.Domain == Policy.Home,
                _ => false,
            };
            if (matches)
            {
                return selector;
            }
        }

        return null;
    }

    private sealed class Population(SharedTable<Uid, Subscriber> byUid) : IReadOnlyCollection<Subscriber>
    {
        public int Count => byUid.Count;

        public IEnumerator<Subscriber> GetEnumerator() => byUid.All.Select(pair => pair.Value).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
