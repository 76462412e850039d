namespace StatusDaemon.Cluster;

[ShardPlacement]
internal sealed class ProbeGrain(ILocalSiloDetails silo) : Grain, IProbeGrain
{
    public Task<string> WhereAsync() => Task.FromResult(silo.SiloAddress.ToParsableString());

    public Task<Payload> EchoAsync(Payload payload) => Task.FromResult(payload);

    public Task HangAsync() => new TaskCompletionSource().Task;

    public Task NotifyAsync(IProbeObserver observer, Payload payload) => observer.OnPayloadAsync(payload);
}
