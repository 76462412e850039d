namespace StatusDaemon.Cluster;

/// <summary>What a gateway is to a shard.</summary>
internal interface IProbeObserver : IGrainObserver
{
    Task OnPayloadAsync(Payload payload);
}
