namespace StatusDaemon.Cluster;

/// <summary>A stand-in for a router shard: says where it runs, and hands back what it is given.</summary>
internal interface IProbeGrain : IGrainWithIntegerKey
{
    Task<string> WhereAsync();

    Task<Payload> EchoAsync(Payload payload);

    /// <summary>Never answers.</summary>
    Task HangAsync();

    Task NotifyAsync(IProbeObserver observer, Payload payload);
}
