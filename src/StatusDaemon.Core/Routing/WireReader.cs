using System.Buffers.Binary;
using System.Text;
using StatusDaemon.Names;
using StatusDaemon.Statuses;

namespace StatusDaemon.Routing;

/// <summary>Reads what <see cref="WireWriter"/> wrote. Members of one cluster trust each other, so bytes that do not fit are a broken invariant: <see cref="FormatException"/>.</summary>
internal ref struct WireReader(ReadOnlySpan<byte> bytes, UidTable uids)
{
    private ReadOnlySpan<byte> rest = bytes;

    /// <summary>Begins to read a message of our version.</summary>
    public static WireReader Open(ReadOnlySpan<byte> bytes, UidTable uids)
    {
        var wire = new WireReader(bytes, uids);
        return wire.Byte() == ShardBatch.WireVersion
            ? wire
            : throw new FormatException("A message of another version of status-daemon: the members of a cluster must speak the same one.");
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

    public ReadOnlySpan<byte> Bytes() => Take(checked((int)Count()));

    public string Text() => Encoding.UTF8.GetString(Bytes());

    public Uid Name() => uids.Of(Bytes());

    public ClientTimestamp Stamp()
    {
        var quoted = Byte() != 0;
        var number = Bytes();
        return ClientTimestamp.TryParse(number, quoted, out var timestamp) || number.IsEmpty ? timestamp : throw new FormatException("A timestamp of a batch is not a number.");
    }

    public StatusRecord Record()
    {
        var status = Byte();
        if (status == 0)
        {
            return default;
        }

        return new StatusRecord(
            (Status)status,
            Stamp(),
            new StatusVersion(Number64(), Count(), Count()),
            new ChangeSource((SourceKind)Byte(), Text(), Text(), new DateTimeOffset(Count(), TimeSpan.Zero)));
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length < 0 || length > rest.Length)
        {
            throw new FormatException("A batch is cut short.");
        }

        var taken = rest[..length];
        rest = rest[length..];
        return taken;
    }
}
