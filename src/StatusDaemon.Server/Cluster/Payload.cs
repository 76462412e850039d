using StatusDaemon.Names;
using StatusDaemon.Routing;

namespace StatusDaemon.Cluster;

/// <summary>A message on its way between members. Within one process it is handed over as it is, so nobody changes it; where it leaves the process Core frames it.</summary>
[Alias("statusd.message")]
[Immutable]
internal sealed class Payload
{
    private readonly Func<IFramed>? make;
    private IFramed? message;
    private byte[]? bytes; // two threads may frame it at once, and frame the same

    /// <param name="message">A message of this process.</param>
    /// <param name="version">Its form where it leaves the process; its receiver is known to read it, or asked whether it does.</param>
    public Payload(IFramed message, byte version = WireVersion.Newest) => (this.message, Version) = (message, version);

    /// <param name="make">Makes a message of this process in the moment in which it leaves, or is taken: for one that says how old something is.</param>
    /// <param name="version">As above.</param>
    public Payload(Func<IFramed> make, byte version) => (this.make, Version) = (make, version);

    /// <param name="bytes">A message that came from elsewhere.</param>
    public Payload(byte[] bytes) => (this.bytes, Version) = (bytes, bytes is [var first, ..] ? first : default);

    /// <summary>The form in which it travels.</summary>
    public byte Version { get; }

    /// <summary>The versions that its sender reads, where it is the answer to a message of another one; else null.</summary>
    public WireRange? AsRange() => Message is null ? WireRange.TryParse(bytes) : Message as WireRange;

    /// <summary>What a gateway tells a shard.</summary>
    /// <exception cref="FormatException">It came from elsewhere, and is of another version, cut short or spoilt.</exception>
    public ShardBatch AsBatch(UidTable uids) => Message is null ? ShardBatch.Parse(bytes, uids) : (ShardBatch)Message;

    /// <summary>What a shard says to a batch.</summary>
    /// <inheritdoc cref="AsBatch"/>
    public ShardAnswer AsAnswer(GatewayId gateway, UidTable uids) => Message is null ? ShardAnswer.Parse(bytes, gateway, uids) : (ShardAnswer)Message;

    /// <summary>What a daemon tells a gateway.</summary>
    /// <inheritdoc cref="AsBatch"/>
    public DeliveryBatch AsDeliveries(GatewayId gateway, UidTable uids) => Message is null ? DeliveryBatch.Parse(bytes, gateway, uids) : (DeliveryBatch)Message;

    private IFramed? Message => message ??= make?.Invoke();

    /// <summary>The form in which it leaves the process.</summary>
    [GenerateSerializer]
    internal struct Framed
    {
        [Id(0)]
        public byte[] Bytes;
    }

    /// <summary>What Orleans calls where one leaves the process, or comes.</summary>
    [RegisterConverter]
    internal sealed class Converter : IConverter<Payload, Framed>
    {
        /// <exception cref="FramingException">It cannot be framed.</exception>
        public Framed ConvertToSurrogate(in Payload value)
        {
            try
            {
                return new Framed { Bytes = value.bytes ??= value.Message!.ToBytes(value.Version) };
            }
            catch (Exception e)
            {
                throw new FramingException(e);
            }
        }

        public Payload ConvertFromSurrogate(in Framed surrogate) => new(surrogate.Bytes);
    }
}
