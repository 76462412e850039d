namespace StatusDaemon.Statuses;

/// <summary>The order in which a shard told things about its subscribers: statuses, hides, reveals and snapshots alike.</summary>
/// <param name="Epoch">Epoch of the shard's activation.</param>
/// <param name="Counter">Grows with everything that this activation tells; 1 or more.</param>
/// <remarks>Not a <see cref="StatusVersion"/>: a hide has a stamp and no version, and a remote status keeps its home's version but gets our stamp.</remarks>
public readonly record struct DeliveryStamp(long Epoch, long Counter) : IComparable<DeliveryStamp>
{
    /// <inheritdoc/>
    public int CompareTo(DeliveryStamp other) =>
        Epoch != other.Epoch ? Epoch.CompareTo(other.Epoch) : Counter.CompareTo(other.Counter);

    /// <summary>Whether this was told before that.</summary>
    public static bool operator <(DeliveryStamp left, DeliveryStamp right) => left.CompareTo(right) < 0;

    /// <summary>Whether this was told after that.</summary>
    public static bool operator >(DeliveryStamp left, DeliveryStamp right) => left.CompareTo(right) > 0;

    /// <summary>Whether this was told before that, or is it.</summary>
    public static bool operator <=(DeliveryStamp left, DeliveryStamp right) => left.CompareTo(right) <= 0;

    /// <summary>Whether this was told after that, or is it.</summary>
    public static bool operator >=(DeliveryStamp left, DeliveryStamp right) => left.CompareTo(right) >= 0;
}
