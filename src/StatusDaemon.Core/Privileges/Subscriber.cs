using StatusDaemon.Names;

namespace StatusDaemon.Privileges;

/// <summary>A person or line as the directory knows it.</summary>
public sealed record Subscriber
{
    /// <summary>The identity; one subscriber a UID.</summary>
    public required Uid Uid { get; init; }

    /// <summary>The Kerberos principal; one subscriber a name.</summary>
    public required DName DName { get; init; }

    /// <summary>Phone numbers, none or many; each belongs to one subscriber.</summary>
    public IReadOnlyList<PhoneNumber> Numbers { get; init; } = [];

    /// <summary>The domain that the subscriber belongs to; empty means the home domain.</summary>
    public DomainName Domain { get; init; }

    /// <summary>Display name; empty if the directory has none.</summary>
    public string Name { get; init; } = "";

    /// <summary>Who may see this subscriber.</summary>
    public BlackWhiteRules Rules { get; init; } = BlackWhiteRules.None;

    /// <summary>Whether a selector speaks of this subscriber.</summary>
    public bool IsMatchedBy(Selector selector) => selector switch
    {
        Selector.Everyone => true,
        Selector.One one => one.Uid.Equals(Uid),
        Selector.ByNumber byNumber => Numbers.Any(number => byNumber.Pattern.Matches(number.ToString())),
        Selector.ByDName byDName => byDName.Pattern.Matches(DName.ToString()),
        Selector.ByDomain byDomain => byDomain.Domain == Domain,
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
