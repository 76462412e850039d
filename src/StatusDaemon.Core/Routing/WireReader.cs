using System.Buffers.Binary;
using System.Text;
using StatusDaemon.Names;
using StatusDaemon.Statuses;

namespace StatusDaemon.Routing;

/// <summary>Reads what <see cref="WireWriter"/> wrote. Members of one cluster trust each other, so bytes that do not fit are a broken invariant: <see cref="FormatException"/>.</summary>
internal ref struct WireReader(ReadOnlySpan<byte> bytes, UidTable uids)
{
    private ReadOnlySpan<byte> rest = bytes;

    /// <summary>The form of the message.</summary>
    public byte Version { get; private set; }

    /// <summary>Begins to read a message of a version that we know.</summary>
    public static WireReader Open(ReadOnlySpan<byte> bytes, UidTable uids)
    {
        var wire = new WireReader(bytes, uids);
        wire.Version = wire.Byte();
        return WireRange.Ours.Has(wire.Version)
            ? wire
            : throw new FormatException($"A message of version {wire.Version}, and versions {WireRange.Ours} are known.");
    }

    public byte Byte() => Take(1)[0];

    public ulong Number64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    public long Count()
    {
        long value = 0;
        for (var shift = 0; shift < 63; shift += 7)
        {
            var next = Byte();
            value |= (long)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw new FormatException("A number of a batch does not end.");
    }

    /// <summary>A number that fits an <see cref="int"/>.</summary>
    public int Small() => Count() is var value and <= int.MaxValue ? (int)value : throw new FormatException("A number of a batch is too large.");

    /// <summary>How many items follow; each takes a byte at least, so no room is made for more than can come.</summary>
    public int Items() => Small() is var count && count <= rest.Length ? count : throw CutShort();

    public ReadOnlySpan<byte> Bytes() => Take(Small());

    public string Text() => Encoding.UTF8.GetString(Bytes());

    public Uid Name() => uids.TryFind(Bytes(), out var uid) ? uid : throw new FormatException("A name of a batch is not a UID.");

    /// <summary>What a shard tells of a publisher.</summary>
    public (Uid Publisher, DeliveryStamp Stamp, StatusRecord Record) Word() => (Name(), new DeliveryStamp(Count(), Count()), Record());

    public ClientTimestamp Stamp()
    {
        var quoted = Byte() != 0;
        var number = Bytes();
        return ClientTimestamp.TryParse(number, quoted, out var timestamp) || number.IsEmpty ? timestamp : throw new FormatException("A timestamp of a batch is not a number.");
    }

    public Status Status() => StatusOf(Byte());

    public DateTimeOffset Time() =>
        Count() is var ticks && ticks <= DateTimeOffset.MaxValue.Ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : throw new FormatException("A time of a batch is none.");

    public StatusRecord Record()
    {
        var status = Byte();
        return status == 0
            ? default
            : new StatusRecord(StatusOf(status), Stamp(), new StatusVersion(Number64(), Count(), Count()), new ChangeSource(Kind(), Text(), Text(), Time()));
    }

    /// <summary>Makes sure that the message has been read to its end.</summary>
    public readonly void Close()
    {
        if (!rest.IsEmpty)
        {
            throw new FormatException("A batch goes on after its end.");
        }
    }

    private SourceKind Kind() =>
        (SourceKind)Byte() is var kind and >= SourceKind.Client and <= SourceKind.Offline ? kind : throw new FormatException("A record of a batch was set by an unknown hand.");

    private static Status StatusOf(byte number) =>
        (Status)number is var status and >= Statuses.Status.Enable and <= Statuses.Status.Unknown ? status : throw new FormatException("A batch holds an unknown status.");

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length > rest.Length)
        {
            throw CutShort();
        }

        var taken = rest[..length];
        rest = rest[length..];
        return taken;
    }

    private static FormatException CutShort() => new("A batch is cut short.");
}
