using System.Diagnostics;
using StatusDaemon.Names;

namespace StatusDaemon.Privileges;

/// <summary>A person or line as the directory knows it.</summary>
/// <remarks>Where the directory says apart whom a name or number leads to and what is shown (decision 0016), all but display goes by what leads here.</remarks>
public sealed record Subscriber
{
    private readonly DName described;
    private readonly IReadOnlyList<DName>? dnames;
    private readonly IReadOnlyList<PhoneNumber>? shown;

    /// <summary>The identity; one subscriber a UID.</summary>
    public required Uid Uid { get; init; }

    /// <summary>The domain name to show: what the directory says, else the first that leads here; empty for a line that nobody logs in as.</summary>
    public DName DName
    {
        get => described.IsEmpty && dnames is [var first, ..] ? first : described;
        init => described = value;
    }

    /// <summary>The Kerberos principals that log in as this subscriber, none or many; each belongs to one. Unless they are given, it is the one that is shown.</summary>
    public IReadOnlyList<DName> DNames
    {
        get => dnames ?? (described.IsEmpty ? [] : [described]);
        init => dnames = value;
    }

    /// <summary>The phone numbers that lead here, none or many; each belongs to one subscriber.</summary>
    public IReadOnlyList<PhoneNumber> Numbers { get; init; } = [];

    /// <summary>The phone numbers to show. Unless they are given, those that lead here.</summary>
    public IReadOnlyList<PhoneNumber> ShownNumbers
    {
        get => shown ?? Numbers;
        init => shown = value;
    }

    /// <summary>The domain that the subscriber belongs to; empty means the home domain.</summary>
    public DomainName Domain { get; init; }

    /// <summary>Display name; empty if the directory has none.</summary>
    public string Name { get; init; } = "";

    /// <summary>Who may see this subscriber.</summary>
    public BlackWhiteRules Rules { get; init; } = BlackWhiteRules.None;

    /// <summary>Whether the directory describes it; else it is there only because a name or a number leads to it.</summary>
    public bool IsDescribed { get; init; } = true;

    /// <summary>Whether what is shown contradicts what leads here: a name that does not, or other numbers.</summary>
    public bool IsShownOtherwise =>
        (!described.IsEmpty && dnames?.Contains(described) == false) || (shown is not null && !SameSet(shown, Numbers));

    /// <summary>Whether a selector speaks of this subscriber.</summary>
    public bool IsMatchedBy(Selector selector) => selector switch
    {
        Selector.Everyone => true,
        Selector.One one => one.Uid.Equals(Uid),
        Selector.ByNumber byNumber => AnyFits(Numbers, byNumber.Pattern),
        Selector.ByDName byDName => dnames is not null ? AnyFits(dnames, byDName.Pattern) : !described.IsEmpty && byDName.Pattern.Matches(described.ToString()),
        Selector.ByDomain byDomain => byDomain.Domain == Domain,
        _ => throw new UnreachableException(),
    };

    /// <summary>Whether this is just what is shown of the subscriber already; null where nothing describes it.</summary>
    public bool IsDescribedBy(Description? description) => IsSameAs(Under(description));

    /// <summary>Whether selectors and look-ups treat two states of one subscriber alike, rules left out.</summary>
    internal bool HasAttributesOf(Subscriber other) =>
        Domain == other.Domain && SameSet(DNames, other.DNames) && SameSet(Numbers, other.Numbers);

    /// <summary>This subscriber under another description, or none.</summary>
    internal Subscriber Under(Description? description) => this with
    {
        DName = DNames.FirstOrDefault(dname => dname == description?.DName, description?.DName ?? default), // one object for both
        ShownNumbers = description?.Numbers is not { } numbers ? null! // shows those that lead here
            : numbers.SequenceEqual(Numbers) ? Numbers // one list for both
            : [.. numbers.Distinct()],
        Domain = description?.Domain ?? default,
        Name = description?.Name ?? "",
        IsDescribed = description is not null,
    };

    /// <summary>Whether two states of one subscriber are alike in everything.</summary>
    internal bool IsSameAs(Subscriber other) =>
        IsDescribed == other.IsDescribed && described == other.described && Name == other.Name && HasAttributesOf(other)
        && ShownNumbers.SequenceEqual(other.ShownNumbers) && (shown is null) == (other.shown is null) && Rules.Equals(other.Rules);

    private static bool AnyFits<T>(IReadOnlyList<T> names, Glob pattern)
        where T : struct
    {
        for (var at = 0; at < names.Count; at++)
        {
            if (pattern.Matches(names[at].ToString()))
            {
                return true;
            }
        }

        return false;
    }

    // None is twice in a list of a snapshot, so equal counts and no stranger make equal sets.
    private static bool SameSet<T>(IReadOnlyList<T> a, IReadOnlyList<T> b) =>
        ReferenceEquals(a, b) || (a.Count == b.Count && (a.SequenceEqual(b) || !a.Except(b).Any()));
}
