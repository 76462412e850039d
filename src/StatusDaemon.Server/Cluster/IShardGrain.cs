namespace StatusDaemon.Cluster;

/// <summary>A router shard, wherever in the cluster it lives; its key is its number.</summary>
[Alias("statusd.shard")]
internal interface IShardGrain : IGrainWithIntegerKey
{
    /// <summary>Takes a gateway's batch; answers with a <see cref="Routing.ShardAnswer"/> of the batch's version, or with a <see cref="Routing.WireRange"/> where it does not read that.</summary>
    /// <param name="gateway">Where what the shard tells goes; used when the batch declares.</param>
    [Alias("take")]
    Task<Payload> TakeAsync(Payload batch, IGatewayObserver gateway);

    /// <summary>Puts the directory's newest snapshot in force, and takes what other programs wrote into the store. Everything that is hidden is on its way when this returns.</summary>
    [Alias("follow")]
    Task FollowAsync();

    /// <summary>Lets the shard move to where it belongs now, if it is at this place.</summary>
    [Alias("leave")]
    Task LeaveAsync(SiloAddress from);
}

/// <summary>A gateway, as shards reach it.</summary>
[Alias("statusd.gateway")]
internal interface IGatewayObserver : IGrainObserver
{
    /// <summary>Takes a <see cref="Routing.DeliveryBatch"/> of the version in which the gateway declared itself; returning acknowledges it, and only then the next one comes.</summary>
    [Alias("deliver")]
    Task DeliverAsync(Payload batch);
}
