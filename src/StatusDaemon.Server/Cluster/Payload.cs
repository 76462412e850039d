namespace StatusDaemon.Cluster;

/// <summary>A batch or an answer on its way between members, framed by Core. Within one process it is handed over, not copied, so nobody writes to it.</summary>
[GenerateSerializer, Immutable]
internal sealed class Payload(byte[] bytes)
{
    /// <summary>The framed bytes.</summary>
    [Id(0)]
    public byte[] Bytes { get; } = bytes;
}
