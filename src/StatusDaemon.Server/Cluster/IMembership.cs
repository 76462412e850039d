namespace StatusDaemon.Cluster;

/// <summary>How the members of a cluster find each other.</summary>
internal interface IMembership
{
    /// <summary>Where they do, for people.</summary>
    string Place { get; }

    /// <summary>Lets a daemon become a member.</summary>
    void Join(ISiloBuilder silo);

    /// <summary>Lets a module without shards find the daemons.</summary>
    void Find(IClientBuilder client);

    /// <summary>Makes sure that a daemon may become a member, and waits until somebody can say so.</summary>
    /// <exception cref="ShardCountException">The others have another number of shards.</exception>
    /// <exception cref="Redis.RedisAwayException">Who could say refuses us.</exception>
    Task EnterAsync(CancellationToken stop);

    /// <summary>Makes sure that a module without shards may look for daemons now, and fits them.</summary>
    /// <exception cref="ShardCountException">They have another number of shards.</exception>
    /// <exception cref="Redis.RedisAwayException">Nobody can say.</exception>
    Task CheckAsync(CancellationToken stop);
}
