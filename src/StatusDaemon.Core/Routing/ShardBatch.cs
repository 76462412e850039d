using StatusDaemon.Names;

namespace StatusDaemon.Routing;

/// <summary>What one gateway tells one shard in one call; the next one goes when this one is answered.</summary>
/// <param name="Activation">Epoch of the activation that it is meant for, so that a copy that was under way for long says nothing to a later one; 0 asks who is there.</param>
/// <param name="Number">Begins at 1 and grows by one with each batch of the gateway to the shard; a repeated one is taken once.</param>
/// <param name="Inputs">In the order in which they happened. If the first is <see cref="RouterInput.Declare"/>, the gateway begins anew.</param>
/// <param name="At">When it is sent, this time, by the gateway's clock: only what is earlier or later by it means something.</param>
public sealed record ShardBatch(GatewayId Gateway, long Activation, long Number, IReadOnlyList<RouterInput> Inputs, TimeSpan At = default) : IFramed
{
    private const long TicksOfWire = TimeSpan.TicksPerMillisecond;
    private const byte SinceRestoreAge = 5;

    /// <summary>Whether the gateway begins to declare all that it has.</summary>
    public bool Declares => Inputs is [RouterInput.Declare, ..];

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">It holds an input that no gateway gives.</exception>
    public byte[] ToBytes(byte version = WireVersion.Newest)
    {
        var wire = WireWriter.Open(version);
        wire.Number64(Gateway.Value);
        wire.Count(Activation);
        wire.Count(Number);
        wire.Count(Inputs.Count);
        foreach (var input in Inputs)
        {
            Write(wire, input, version, At);
        }

        return wire.ToArray();
    }

    /// <summary>Reads what <see cref="ToBytes"/> wrote.</summary>
    /// <exception cref="FormatException">The bytes are of another version, cut short or spoilt.</exception>
    public static ShardBatch Parse(ReadOnlySpan<byte> bytes, UidTable uids)
    {
        var wire = WireReader.Open(bytes, uids);
        var gateway = new GatewayId(wire.Number64());
        var activation = wire.Count();
        var number = wire.Count();
        var inputs = new RouterInput[wire.Items()];
        for (var i = 0; i < inputs.Length; i++)
        {
            inputs[i] = Read(ref wire, gateway);
        }

        wire.Close();
        return new ShardBatch(gateway, activation, number, inputs);
    }

    private static void Write(WireWriter wire, RouterInput input, byte version, TimeSpan at)
    {
        switch (input)
        {
            case RouterInput.Declare:
                wire.Byte((byte)Tag.Declare);
                break;
            case RouterInput.Open open:
                wire.Byte((byte)Tag.Open);
                wire.Count(open.Connection.Number);
                wire.Name(open.Subscriber);
                wire.Text(open.Actor);
                wire.Text(open.Through);
                break;
            case RouterInput.Close close:
                wire.Byte((byte)Tag.Close);
                wire.Count(close.Connection.Number);
                break;
            case RouterInput.Watch watch:
                wire.Byte((byte)Tag.Watch);
                wire.Count(watch.Connection.Number);
                wire.Name(watch.Watcher);
                wire.Name(watch.Publisher);
                wire.Count(watch.Request);
                break;
            case RouterInput.Unwatch unwatch:
                wire.Byte((byte)Tag.Unwatch);
                wire.Count(unwatch.Connection.Number);
                wire.Name(unwatch.Publisher);
                break;
            case RouterInput.Publish publish:
                wire.Byte((byte)Tag.Publish);
                wire.Count(publish.Connection.Number);
                wire.Name(publish.Publisher);
                wire.Byte((byte)publish.Status);
                wire.Stamp(publish.Timestamp);
                wire.Count(AgeOf(publish.SaidAt, at));
                break;
            case RouterInput.Adopt adopt:
                wire.Byte((byte)Tag.Adopt);
                wire.Name(adopt.Publisher);
                wire.Record(adopt.Record);
                break;
            case RouterInput.Leave:
                wire.Byte((byte)Tag.Leave);
                break;
            case RouterInput.Restore restore:
                wire.Byte((byte)Tag.Restore);
                wire.Count(restore.Connection.Number);
                wire.Name(restore.Publisher);
                wire.Byte((byte)restore.Status);
                wire.Stamp(restore.Timestamp);
                if (version >= SinceRestoreAge)
                {
                    wire.Count(AgeOf(restore.SaidAt, at));
                }

                break;
            default:
                throw new InvalidOperationException($"A gateway does not give {input.GetType().Name}.");
        }
    }

    private static RouterInput Read(ref WireReader wire, GatewayId gateway) => (Tag)wire.Byte() switch
    {
        Tag.Declare => new RouterInput.Declare(gateway),
        Tag.Open => new RouterInput.Open(new ConnectionId(gateway, wire.Count()), wire.Name(), wire.Text(), wire.Text()),
        Tag.Close => new RouterInput.Close(new ConnectionId(gateway, wire.Count())),
        Tag.Watch => new RouterInput.Watch(new ConnectionId(gateway, wire.Count()), wire.Name(), wire.Name(), (uint)wire.Small()),
        Tag.Unwatch => new RouterInput.Unwatch(new ConnectionId(gateway, wire.Count()), wire.Name()),
        Tag.Publish => new RouterInput.Publish(new ConnectionId(gateway, wire.Count()), wire.Name(), wire.Status(), wire.Stamp(), SaidAtOf(ref wire)),
        Tag.Adopt => new RouterInput.Adopt(wire.Name(), wire.Record()),
        Tag.Leave => new RouterInput.Leave(gateway),
        Tag.Restore => new RouterInput.Restore(new ConnectionId(gateway, wire.Count()), wire.Name(), wire.Status(), wire.Stamp(), wire.Version >= SinceRestoreAge ? SaidAtOf(ref wire) : default),
        _ => throw new FormatException("A batch holds an input of an unknown kind."),
    };

    private static long AgeOf(TimeSpan saidAt, TimeSpan at) => Math.Clamp((at - saidAt).Ticks / TicksOfWire, 0, int.MaxValue);

    /// <summary>As <see cref="At"/> is zero once it was read, whatever is earlier is negative.</summary>
    private static TimeSpan SaidAtOf(ref WireReader wire) => TimeSpan.FromTicks(-wire.Small() * TicksOfWire);

    /// <summary>Append-only: the numbers travel between members.</summary>
    private enum Tag : byte
    {
        Declare = 1,
        Open,
        Close,
        Watch,
        Unwatch,
        Publish,
        Adopt,
        Leave,
        Restore,
    }
}
