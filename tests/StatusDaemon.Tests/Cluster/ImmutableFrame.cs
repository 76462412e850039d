namespace StatusDaemon.Cluster;

/// <summary>Bytes that nobody changes after they are sent.</summary>
[GenerateSerializer, Immutable]
internal sealed class ImmutableFrame(byte[] bytes)
{
    [Id(0)]
    public byte[] Bytes { get; } = bytes;
}
