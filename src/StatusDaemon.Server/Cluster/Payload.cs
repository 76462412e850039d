using StatusDaemon.Names;
using StatusDaemon.Routing;

namespace StatusDaemon.Cluster;

/// <summary>A message on its way between members. Within one process it is handed over as it is, so nobody changes it; where it leaves the process Core frames it.</summary>
[Immutable]
internal sealed class Payload
{
    private readonly IFramed? message;
    private readonly byte version;
    private byte[]? bytes; // two threads may frame it at once, and frame the same

    /// <param name="message">A message of this process.</param>
    /// <param name="version">Its form where it leaves the process; its receiver is known to read it, or asked whether it does.</param>
    public Payload(IFramed message, byte version = WireVersion.Newest) => (this.message, this.version) = (message, version);

    /// <param name="bytes">A message that came from elsewhere.</param>
    public Payload(byte[] bytes) => (this.bytes, version) = (bytes, bytes is [var first, ..] ? first : default);

    /// <summary>The form in which it travels.</summary>
    public byte Version => version;

    /// <summary>The versions that its sender reads, where it is the answer to a message of another one; else null.</summary>
    public WireRange? AsRange() => message is null ? WireRange.TryParse(bytes) : message as WireRange;

    /// <summary>What a gateway tells a shard.</summary>
    /// <exception cref="FormatException">It came from elsewhere, and is of another version, cut short or spoilt.</exception>
    public ShardBatch AsBatch(UidTable uids) => message is null ? ShardBatch.Parse(bytes, uids) : (ShardBatch)message;

    /// <summary>What a shard says to a batch.</summary>
    /// <inheritdoc cref="AsBatch"/>
    public ShardAnswer AsAnswer(GatewayId gateway, UidTable uids) => message is null ? ShardAnswer.Parse(bytes, gateway, uids) : (ShardAnswer)message;

    /// <summary>What a daemon tells a gateway.</summary>
    /// <inheritdoc cref="AsBatch"/>
    public DeliveryBatch AsDeliveries(GatewayId gateway, UidTable uids) => message is null ? DeliveryBatch.Parse(bytes, gateway, uids) : (DeliveryBatch)message;

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
                return new Framed { Bytes = value.bytes ??= value.message!.ToBytes(value.version) };
            }
            catch (Exception e)
            {
                throw new FramingException(e);
            }
        }

        public Payload ConvertFromSurrogate(in Framed surrogate) => new(surrogate.Bytes);
    }
}
