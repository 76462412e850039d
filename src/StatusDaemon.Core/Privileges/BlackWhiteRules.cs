using StatusDaemon.Names;

namespace StatusDaemon.Privileges;

/// <summary>The black and the white list of one publisher.</summary>
/// <remarks>Two rules are equal if they have the same selectors in the same order.</remarks>
public sealed class BlackWhiteRules : IEquatable<BlackWhiteRules>
{
    /// <summary>No rule: the default of the domain decides.</summary>
    public static readonly BlackWhiteRules None = new([], []);

    /// <summary>Nobody but the subscriber himself sees.</summary>
    public static readonly BlackWhiteRules HiddenFromAll = new([new Selector.Everyone()], []);

    private readonly Selector[] black;
    private readonly Selector[] white;

    /// <summary>Rules from lists that are already parsed.</summary>
    public BlackWhiteRules(IEnumerable<Selector> black, IEnumerable<Selector> white)
    {
        this.black = [.. black];
        this.white = [.. white];
    }

    /// <summary>Whom it hides from, whatever the white list says.</summary>
    public IReadOnlyList<Selector> Black => black;

    /// <summary>If it has entries, only whom it names may see.</summary>
    public IReadOnlyList<Selector> White => white;

    private bool HidesFromAll => NamesAll(black);

    /// <summary>The selectors in which two rules differ: only of whom they speak may see otherwise under the other rules.</summary>
    /// <returns>Null if that may be everybody: the white list has become empty, or has got its first entries.</returns>
    public IReadOnlyCollection<Selector>? DifferenceTo(BlackWhiteRules other) =>
        white.Length == 0 != (other.white.Length == 0) ? null : [.. Difference(black, other.black), .. Difference(white, other.white)];

    /// <summary>Whether the lists have these selectors, in whatever order.</summary>
    public bool Have(IReadOnlyCollection<Selector> black, IReadOnlyCollection<Selector> white) => IsSame(this.black, black) && IsSame(this.white, white);

    /// <summary>Rules under which nobody sees to whom these or others hide.</summary>
    /// <param name="allowsByDefault">Whether a publisher without a white list is seen by those of whom no rule speaks.</param>
    /// <remarks>Of two white lists only what stands in both counts, letter by letter: it is hidden from whoever is named by number in one and by UID in the other.</remarks>
    public BlackWhiteRules StricterWith(BlackWhiteRules other, bool allowsByDefault)
    {
        if (Equals(other) || HidesFromAll)
        {
            return this;
        }

        Selector[]? seenBy = (white, other.white) switch
        {
            ([], []) => [],
            ([], var only) => allowsByDefault ? only : null,
            (var only, []) => allowsByDefault ? only : null,
            var (one, two) when NamesAll(one) != NamesAll(two) => NamesAll(one) ? two : one,
            var (one, two) => one.Intersect(two).ToArray() is [_, ..] both ? both : null,
        };
        return seenBy is null || other.HidesFromAll ? HiddenFromAll : new BlackWhiteRules(black.Union(other.black), seenBy.Distinct());
    }

    /// <summary>These rules with other lists; a list that only has another order stays as it is.</summary>
    /// <param name="black">Null keeps the list.</param>
    /// <param name="white">Null keeps the list.</param>
    internal BlackWhiteRules With(IReadOnlyCollection<Selector>? black, IReadOnlyCollection<Selector>? white)
    {
        Selector[] nextBlack = black is null || IsSame(this.black, black) ? this.black : [.. black];
        Selector[] nextWhite = white is null || IsSame(this.white, white) ? this.white : [.. white];
        return nextBlack.Length + nextWhite.Length == 0 ? None
            : ReferenceEquals(nextBlack, this.black) && ReferenceEquals(nextWhite, this.white) ? this
            : new BlackWhiteRules(nextBlack, nextWhite);
    }

    private static bool NamesAll(Selector[] selectors) => selectors.Any(selector => selector is Selector.Everyone);

    private static bool IsSame(Selector[] before, IReadOnlyCollection<Selector> now) => before.Length == now.Count && before.ToHashSet().SetEquals(now);

    private static HashSet<Selector> Difference(Selector[] one, Selector[] other)
    {
        var difference = one.ToHashSet();
        difference.SymmetricExceptWith(other);
        return difference;
    }

    /// <inheritdoc/>
    public bool Equals(BlackWhiteRules? other) =>
        ReferenceEquals(this, other) || (other is not null && black.AsSpan().SequenceEqual(other.black) && white.AsSpan().SequenceEqual(other.white));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as BlackWhiteRules);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(black.Length, white.Length, black.FirstOrDefault(), white.FirstOrDefault());
}
