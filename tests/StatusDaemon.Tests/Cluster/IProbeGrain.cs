namespace StatusDaemon.Cluster;

/// <summary>A stand-in for a router shard: says where it runs, and hands back what it is given.</summary>
internal interface IProbeGrain : IGrainWithIntegerKey
{
    Task<string> WhereAsync();

    Task<ImmutableFrame> EchoAsync(ImmutableFrame frame);

    /// <summary>Never answers.</summary>
    Task HangAsync();

    Task NotifyAsync(IProbeObserver observer, ImmutableFrame frame);
}
