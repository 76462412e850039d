using Orleans.Runtime.Placement;

namespace StatusDaemon.Cluster;

/// <summary>Tells Orleans on which silo a shard starts: the one that <see cref="ShardAssignment"/> gives it.</summary>
/// <remarks>Asked only for a shard that runs nowhere; one that runs stays where it is until it ends.</remarks>
internal sealed class ShardPlacementDirector(SiloSetup setup, LocalShards shards) : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var shard = checked((int)target.GrainIdentity.GetIntegerKey());
        var silos = context.GetCompatibleSilos(target);
        var staying = shards.IsLeaving ? [.. silos.Where(silo => !silo.Equals(context.LocalSilo))] : silos;
        return Task.FromResult(ShardAssignment.Choose(shard, setup.Shards, staying.Length > 0 ? staying : silos));
    }
}
