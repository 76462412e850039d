using StatusDaemon.Names;

namespace StatusDaemon.Privileges;

/// <summary>The black and the white list of one publisher.</summary>
/// <remarks>Two rules are equal if they have the same selectors in the same order.</remarks>
public sealed class BlackWhiteRules : IEquatable<BlackWhiteRules>
{
    /// <summary>No rule: the default of the domain decides.</summary>
    public static readonly BlackWhiteRules None = new([], []);

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

    /// <inheritdoc/>
    public bool Equals(BlackWhiteRules? other) =>
        ReferenceEquals(this, other) || (other is not null && black.AsSpan().SequenceEqual(other.black) && white.AsSpan().SequenceEqual(other.white));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as BlackWhiteRules);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(black.Length, white.Length, black.FirstOrDefault(), white.FirstOrDefault());
}
