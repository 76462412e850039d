using StatusDaemon.Names;
using StatusDaemon.Statuses;

namespace StatusDaemon.Routing;

/// <summary>What a shard says to a batch.</summary>
/// <param name="Activation">Epoch of the activation that answers; another one than before means that the shard was activated anew.</param>
/// <param name="MustDeclare">The batch was not taken, because this activation does not know the gateway: it must declare all that it has.</param>
/// <param name="Incarnation">The store's.</param>
/// <param name="Saved">Changes up to here are in the store, durably.</param>
/// <param name="At">When the answer was made, by the server's clock.</param>
/// <param name="Accepted">For each input of the batch that is a change (<see cref="RouterInput.IsChange"/>), in order, the change that it became; the default value where it became none.</param>
/// <param name="Told">Statuses that the batch caused and the gateway is to pass on; what is not told here comes through the outbox.</param>
public sealed record ShardAnswer(
    long Activation, bool MustDeclare, ulong Incarnation, FeedKey Saved, DateTimeOffset At, IReadOnlyList<FeedKey> Accepted, IReadOnlyList<Effect.Deliver> Told) : IFramed
{
    /// <inheritdoc/>
    /// <remarks>The gateway's id is left out, since it is the receiver's.</remarks>
    public byte[] ToBytes(byte version = WireVersion.Newest)
    {
        var wire = WireWriter.Open(version);
        wire.Count(Activation);
        wire.Byte(MustDeclare ? (byte)1 : (byte)0);
        wire.Number64(Incarnation);
        wire.Count(Saved.Epoch);
        wire.Count(Saved.Seq);
        wire.Count(At.UtcTicks);
        wire.Count(Accepted.Count);
        foreach (var key in Accepted)
        {
            wire.Count(key.Epoch);
            wire.Count(key.Seq);
        }

        wire.Count(Told.Count);
        foreach (var told in Told)
        {
            wire.Word(told.Publisher, told.Stamp, told.Record);
        }

        return wire.ToArray();
    }

    /// <summary>Reads what <see cref="ToBytes"/> wrote.</summary>
    /// <exception cref="FormatException">The bytes are of another version, cut short or spoilt.</exception>
    public static ShardAnswer Parse(ReadOnlySpan<byte> bytes, GatewayId gateway, UidTable uids)
    {
        var wire = WireReader.Open(bytes, uids);
        var activation = wire.Count();
        var mustDeclare = wire.Byte() != 0;
        var incarnation = wire.Number64();
        var saved = new FeedKey(wire.Count(), wire.Count());
        var at = wire.Time();
        var accepted = new FeedKey[wire.Items()];
        for (var i = 0; i < accepted.Length; i++)
        {
            accepted[i] = new FeedKey(wire.Count(), wire.Count());
        }

        var told = new Effect.Deliver[wire.Items()];
        for (var i = 0; i < told.Length; i++)
        {
            var (publisher, stamp, record) = wire.Word();
            told[i] = new Effect.Deliver(gateway, publisher, record, stamp);
        }

        wire.Close();
        return new ShardAnswer(activation, mustDeclare, incarnation, saved, at, accepted, told);
    }
}
