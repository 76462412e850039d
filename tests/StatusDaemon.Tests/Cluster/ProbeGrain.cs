namespace StatusDaemon.Cluster;

[ShardPlacement]
internal sealed class ProbeGrain(ILocalSiloDetails silo) : Grain, IProbeGrain
{
    public Task<string> WhereAsync() => Task.FromResult(silo.SiloAddress.ToParsableString());

    public Task<ImmutableFrame> EchoAsync(ImmutableFrame frame) => Task.FromResult(frame);

    public Task HangAsync() => new TaskCompletionSource().Task;

    public Task NotifyAsync(IProbeObserver observer, ImmutableFrame frame) => observer.OnFrameAsync(frame);
}
