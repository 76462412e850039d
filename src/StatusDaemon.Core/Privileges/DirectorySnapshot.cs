using System.Diagnostics.CodeAnalysis;
using StatusDaemon.Names;

namespace StatusDaemon.Privileges;

/// <summary>Everything that the directory said at one moment; immutable, replaced whole.</summary>
public sealed class DirectorySnapshot
{
    /// <summary>A directory that knows nobody.</summary>
    public static readonly DirectorySnapshot Empty = new([], new DirectoryPolicy());

    private readonly Dictionary<Uid, Subscriber> byUid;
    private readonly Dictionary<DName, Subscriber> byDName;
    private readonly Dictionary<PhoneNumber, Subscriber> byNumber;
    private readonly Dictionary<Uid, Subscriber>.AlternateLookup<ReadOnlySpan<byte>> byUtf8;

    /// <summary>Keeps subscribers whose uids, dnames and numbers were already found unique.</summary>
    /// <exception cref="ArgumentException">A uid, dname or number is there twice: the reader of the source should have refused it.</exception>
    public DirectorySnapshot(IEnumerable<Subscriber> subscribers, DirectoryPolicy policy)
    {
        Policy = policy;
        byUid = new(Uid.Comparer);
        byDName = [];
        byNumber = [];
        foreach (var subscriber in subscribers)
        {
            byUid.Add(subscriber.Uid, subscriber);
            byDName.Add(subscriber.DName, subscriber);
            foreach (var number in subscriber.Numbers)
            {
                byNumber.Add(number, subscriber);
            }
        }

        byUtf8 = byUid.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>Grows with each snapshot of one source in one process; what arrives late is told by it.</summary>
    public long Revision { get; init; }

    /// <summary>What holds where no rule and no entry speaks.</summary>
    public DirectoryPolicy Policy { get; }

    /// <summary>Everyone, in no order.</summary>
    public IReadOnlyCollection<Subscriber> Subscribers => byUid.Values;

    /// <summary>Looks up a subscriber by UID.</summary>
    public bool TryGet(Uid uid, [NotNullWhen(true)] out Subscriber? subscriber) => byUid.TryGetValue(uid, out subscriber);

    /// <summary>Looks up a subscriber by the bytes of a UID.</summary>
    public bool TryGet(ReadOnlySpan<byte> uid, [NotNullWhen(true)] out Subscriber? subscriber) => byUtf8.TryGetValue(uid, out subscriber);

    /// <summary>Looks up a subscriber by Kerberos principal.</summary>
    public bool TryGet(DName dname, [NotNullWhen(true)] out Subscriber? subscriber) => byDName.TryGetValue(dname, out subscriber);

    /// <summary>Looks up a subscriber by phone number.</summary>
    public bool TryGet(PhoneNumber number, [NotNullWhen(true)] out Subscriber? subscriber) => byNumber.TryGetValue(number, out subscriber);

    /// <summary>Whether a subscriber may have client connections, and so set a status itself.</summary>
    public bool MayLogIn(Uid uid) => Policy.AdmitsUnknown || byUid.ContainsKey(uid);

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
}
