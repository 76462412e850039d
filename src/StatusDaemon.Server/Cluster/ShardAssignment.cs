namespace StatusDaemon.Cluster;

/// <summary>Which silo a shard belongs on, computed alike by every member from nothing but the list of silos.</summary>
/// <remarks>
/// Rendezvous hashing with a limit: each shard goes to the silo with which it has the highest score among those that have
/// room, lower numbers first. Room is such that loads differ by one at most, whatever the hash says: plain hashing put 63
/// of 64 shards on one of two silos. When a silo is lost, most shards of the others keep their place (a modulo would move
/// nearly all), so what Orleans restarts on a survivor fits in with what already runs there.
/// </remarks>
internal static class ShardAssignment
{
    /// <param name="shards">Shards of the deployment: numbers from 0 to below this.</param>
    /// <param name="silos">The live silos, in any order; at least one.</param>
    public static SiloAddress Choose(int shard, int shards, IReadOnlyList<SiloAddress> silos)
    {
        ArgumentOutOfRangeException.ThrowIfZero(silos.Count);
        ArgumentOutOfRangeException.ThrowIfNegative(shard);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(shard, shards);

        var (floor, extras) = Math.DivRem(shards, silos.Count); // so many silos hold one shard above the floor
        var ordered = silos.Order().ToArray();
        var loads = new int[ordered.Length];
        for (var placed = 0; ; placed++)
        {
            var best = -1;
            var bestScore = 0UL;
            for (var silo = 0; silo < ordered.Length; silo++)
            {
                var score = Score(placed, ordered[silo]);
                if ((loads[silo] < floor || (loads[silo] == floor && extras > 0)) && (best < 0 || score > bestScore))
                {
                    (best, bestScore) = (silo, score);
                }
            }

            if (placed == shard)
            {
                return ordered[best];
            }

            if (++loads[best] > floor)
            {
                extras--;
            }
        }
    }

    /// <summary>How well a shard and a silo go together: the mixer of splitmix64 over both, the same on every machine.</summary>
    private static ulong Score(int shard, SiloAddress silo)
    {
        var x = (((ulong)(uint)silo.GetConsistentHashCode()) << 32) + (uint)shard + 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
