using System.Buffers.Binary;
using System.Text;
using StatusDaemon.Names;
using StatusDaemon.Statuses;

namespace StatusDaemon.Routing;

/// <summary>Writes the fields of the batches that gateways and shards exchange, into one growing array.</summary>
internal sealed class WireWriter
{
    private byte[] bytes = new byte[1024];
    private int count;

    private WireWriter()
    {
    }

    /// <summary>Begins a message.</summary>
    public static WireWriter Open(byte version)
    {
        var wire = new WireWriter();
        wire.Byte(version);
        return wire;
    }

    /// <summary>What was written, as an array of its own.</summary>
    public byte[] ToArray() => bytes.AsSpan(0, count).ToArray();

    public void Byte(byte value) => Room(1)[0] = value;

    public void Number64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Room(8), value);

    /// <summary>A number that is 0 or more, in 7 bits a byte, the low ones first.</summary>
    public void Count(long value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        while (value >= 0x80)
        {
            Byte((byte)(value | 0x80));
            value >>= 7;
        }

        Byte((byte)value);
    }

    public void Bytes(ReadOnlySpan<byte> value)
    {
        Count(value.Length);
        value.CopyTo(Room(value.Length));
    }

    public void Text(string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        Count(length);
        Encoding.UTF8.GetBytes(value, Room(length));
    }

    public void Name(Uid uid) => Bytes(uid.Utf8);

    /// <summary>What a shard tells of a publisher.</summary>
    public void Word(Uid publisher, DeliveryStamp stamp, in StatusRecord record)
    {
        Name(publisher);
        Count(stamp.Epoch);
        Count(stamp.Counter);
        Record(record);
    }

    public void Stamp(ClientTimestamp timestamp)
    {
        Byte(timestamp.IsQuoted ? (byte)1 : (byte)0);
        Span<byte> number = stackalloc byte[ClientTimestamp.MaxLength];
        Bytes(number[..timestamp.CopyTo(number)]);
    }

    public void Record(in StatusRecord record)
    {
        if (record.IsNone)
        {
            Byte(0);
            return;
        }

        Byte((byte)record.Status);
        Stamp(record.Timestamp);
        Number64(record.Version.Incarnation);
        Count(record.Version.Epoch);
        Count(record.Version.Seq);
        Byte((byte)record.Source.Kind);
        Text(record.Source.Actor);
        Text(record.Source.Through);
        Count(record.Source.At.UtcTicks);
    }

    private Span<byte> Room(int length)
    {
        if (bytes.Length - count < length)
        {
            Array.Resize(ref bytes, Math.Max(bytes.Length * 2, count + length));
        }

        count += length;
        return bytes.AsSpan(count - length, length);
    }
}
