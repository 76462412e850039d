using System.Diagnostics;
using StatusDaemon.Names;

namespace StatusDaemon.Routing;

/// <summary>What one daemon tells one gateway in one call; the next one goes when this one is acknowledged.</summary>
/// <param name="Outbox">Random id of the daemon's outbox for this gateway.</param>
/// <param name="Number">Begins at 1 and grows by one with each batch of the outbox; a repeated one is taken once.</param>
/// <param name="Deliveries">Each a <see cref="Effect.Deliver"/> or a <see cref="Effect.Tell"/>.</param>
public sealed record DeliveryBatch(ulong Outbox, long Number, IReadOnlyList<Effect> Deliveries) : IFramed
{
    /// <inheritdoc/>
    /// <remarks>The gateway's id is left out, since it is the receiver's.</remarks>
    public byte[] ToBytes(byte version = WireVersion.Newest)
    {
        var wire = WireWriter.Open(version);
        wire.Number64(Outbox);
        wire.Count(Number);
        wire.Count(Deliveries.Count);
        foreach (var what in Deliveries)
        {
            switch (what)
            {
                case Effect.Deliver deliver:
                    wire.Byte((byte)Tag.Deliver);
                    wire.Word(deliver.Publisher, deliver.Stamp, deliver.Record);
                    break;
                case Effect.Tell tell:
                    wire.Byte((byte)(tell.IsVisible ? Tag.Visible : Tag.Hidden));
                    wire.Count(tell.Connection.Number);
                    wire.Count(tell.Request);
                    wire.Word(tell.Publisher, tell.Stamp, tell.Record);
                    break;
                default:
                    throw new UnreachableException();
            }
        }

        return wire.ToArray();
    }

    /// <summary>Reads what <see cref="ToBytes"/> wrote.</summary>
    /// <exception cref="FormatException">The bytes are of another version, cut short or spoilt.</exception>
    public static DeliveryBatch Parse(ReadOnlySpan<byte> bytes, GatewayId gateway, UidTable uids)
    {
        var wire = WireReader.Open(bytes, uids);
        var outbox = wire.Number64();
        var number = wire.Count();
        var deliveries = new Effect[wire.Items()];
        for (var i = 0; i < deliveries.Length; i++)
        {
            deliveries[i] = Read(ref wire, gateway);
        }

        wire.Close();
        return new DeliveryBatch(outbox, number, deliveries);
    }

    private static Effect Read(ref WireReader wire, GatewayId gateway)
    {
        var tag = (Tag)wire.Byte();
        var connection = tag == Tag.Deliver ? default : new ConnectionId(gateway, wire.Count());
        var request = tag == Tag.Deliver ? 0 : (uint)wire.Small();
        var (publisher, stamp, record) = wire.Word();
        return tag switch
        {
            Tag.Deliver => new Effect.Deliver(gateway, publisher, record, stamp),
            Tag.Visible or Tag.Hidden => new Effect.Tell(connection, publisher, request, tag == Tag.Visible, record, stamp),
            _ => throw new FormatException("A batch holds a delivery of an unknown kind."),
        };
    }

    /// <summary>Append-only: the numbers travel between members.</summary>
    private enum Tag : byte
    {
        Deliver = 1,
        Visible,
        Hidden,
    }
}
