using StatusDaemon.Names;

namespace StatusDaemon.Privileges;

/// <summary>A batch of changes, key by key as a privilege service has them, and the snapshot that it leads to: in time that goes with the batch, not with the directory.</summary>
/// <remarks>
/// A subscriber is there while a dname or a number leads to its UID, or a description of it exists (decision 0016); rules of any other UID wait for it. All of a batch comes
/// into force at once, so a name or a number that moves has one owner in every snapshot. Of several values for one key the last one counts. One owner, used once.
/// </remarks>
public sealed class DirectoryEdit(DirectorySnapshot from)
{
    private readonly Dictionary<DName, Uid?> dnames = [];
    private readonly Dictionary<PhoneNumber, Uid?> numbers = [];
    private readonly Dictionary<Uid, Draft> drafts = new(Uid.Comparer);

    /// <summary>Whom a domain name logs in from now on; null for nobody.</summary>
    public void SetLookUp(DName dname, Uid? uid) => dnames[dname] = uid;

    /// <summary>Whom a number leads to from now on; null for nobody.</summary>
    public void SetLookUp(PhoneNumber number, Uid? uid) => numbers[number] = uid;

    /// <summary>What is shown of a subscriber from now on; null if nothing describes it.</summary>
    public void SetDescription(Uid uid, Description? description)
    {
        var draft = DraftOf(uid);
        draft.Description = description;
        draft.IsDescriptionSet = true;
    }

    /// <summary>The black list of a UID from now on, in any order.</summary>
    public void SetBlack(Uid uid, IReadOnlyCollection<Selector> selectors) => DraftOf(uid).Black = selectors;

    /// <summary>The white list of a UID from now on, in any order.</summary>
    public void SetWhite(Uid uid, IReadOnlyCollection<Selector> selectors) => DraftOf(uid).White = selectors;

    /// <summary>The snapshot with all of it, of the next revision; the same one as before if nothing of it differs.</summary>
    public DirectorySnapshot Apply()
    {
        var movedDNames = Move(dnames, from.Tables.ByDName, draft => draft.DNames);
        var movedNumbers = Move(numbers, from.Tables.ByNumber, draft => draft.Numbers);
        var changes = new List<(Subscriber? Before, Subscriber? After)>();
        var waiting = new List<(Uid, BlackWhiteRules)>();
        foreach (var draft in drafts.Values)
        {
            var (after, rules) = draft.Finish();
            if (after is null ? draft.Before is not null : draft.Before?.IsSameAs(after) != true)
            {
                changes.Add((draft.Before, after));
            }

            var rulesToWait = after is null ? rules : BlackWhiteRules.None;
            if (!ReferenceEquals(rulesToWait, draft.Waiting))
            {
                waiting.Add((draft.Uid, rulesToWait));
            }
        }

        if (changes.Count + waiting.Count == 0)
        {
            return from;
        }

        var tables = from.Tables.With(changes, movedDNames, movedNumbers, waiting, from.Policy);
        return from.Next(tables, [.. changes.Select(change => (change.Before ?? change.After)!.Uid)]);
    }

    /// <summary>Notes in the drafts what leads somewhere else than before.</summary>
    private Dictionary<TKey, Uid?> Move<TKey>(Dictionary<TKey, Uid?> wanted, SharedTable<TKey, Uid> before, Func<Draft, LookUps<TKey>> of)
        where TKey : struct
    {
        var moved = new Dictionary<TKey, Uid?>();
        foreach (var (key, uid) in wanted)
        {
            before.TryGet(key, out var owner);
            if (Equals(owner, uid))
            {
                continue;
            }

            if (owner is not null)
            {
                of(DraftOf(owner)).Remove(key);
            }

            if (uid is not null)
            {
                of(DraftOf(uid)).Add(key);
            }

            moved[key] = uid is null ? null : DraftOf(uid).Uid;
        }

        return moved;
    }

    private Draft DraftOf(Uid uid)
    {
        if (!drafts.TryGetValue(uid, out var draft))
        {
            drafts.Add(uid, draft = new Draft(uid, from));
        }

        return draft;
    }

    /// <summary>What one UID is to be.</summary>
    private sealed class Draft
    {
        public Draft(Uid uid, DirectorySnapshot from)
        {
            from.TryGet(uid, out var before);
            Before = before;
            Uid = before?.Uid ?? uid; // one object for one subscriber
            Waiting = before is null && from.Tables.Waiting.TryGet(uid, out var waiting) ? waiting : BlackWhiteRules.None;
            DNames = new LookUps<DName>(before?.DNames);
            Numbers = new LookUps<PhoneNumber>(before?.Numbers);
        }

        public Uid Uid { get; }

        public Subscriber? Before { get; }

        /// <summary>Rules that wait for the subscriber.</summary>
        public BlackWhiteRules Waiting { get; }

        public LookUps<DName> DNames { get; }

        public LookUps<PhoneNumber> Numbers { get; }

        public bool IsDescriptionSet { get; set; }

        public Description? Description { get; set; }

        public IReadOnlyCollection<Selector>? Black { get; set; }

        public IReadOnlyCollection<Selector>? White { get; set; }

        /// <summary>The subscriber, null if there is none, and the rules of its UID.</summary>
        public (Subscriber? After, BlackWhiteRules Rules) Finish()
        {
            var rules = (Before?.Rules ?? Waiting).With(Black, White);
            var isDescribed = IsDescriptionSet ? Description is not null : Before is { IsDescribed: true };
            if (!isDescribed && DNames.IsEmpty && Numbers.IsEmpty)
            {
                return (null, rules);
            }

            var after = (Before ?? new Subscriber { Uid = Uid, IsDescribed = false }) with { DNames = DNames.Sorted(), Numbers = Numbers.Sorted(), Rules = rules };
            return (IsDescriptionSet ? after.Under(Description) : after, rules);
        }
    }

    /// <summary>The names or numbers that lead to one UID; a list is made only where they change.</summary>
    private sealed class LookUps<T>(IReadOnlyList<T>? before)
        where T : struct
    {
        private HashSet<T>? now;

        public bool IsEmpty => (now?.Count ?? before?.Count ?? 0) == 0;

        public void Add(T key) => (now ??= [.. before ?? []]).Add(key);

        public void Remove(T key) => (now ??= [.. before ?? []]).Remove(key);

        public IReadOnlyList<T> Sorted() => now is null ? before ?? [] : [.. now.OrderBy(key => key.ToString(), StringComparer.Ordinal)];
    }
}
