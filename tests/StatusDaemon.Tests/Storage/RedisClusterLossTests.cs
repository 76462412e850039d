using StatusDaemon.Redis;
using StatusDaemon.Statuses;

namespace StatusDaemon.Storage;

/// <summary>A replica is promoted that has not got what its primary acknowledged last.</summary>
public sealed class RedisClusterLossTests : RedisClusterFailover
{
    [Fact]
    public async Task What_the_promoted_server_never_got_is_written_again_and_what_others_write_to_it_at_once_is_theirs()
    {
        await Store.WriteAsync(Next(Uids), Stop);
        await Replica.CatchesUpWithAsync(Primary);
        var owned = Uids.Where(uid => Cluster.OwnerOf(KeyOf(uid)) == Primary).ToArray();
        var old = await ValuesAsync(Replica, owned);

        // Stopped and cut off, it gets no more of what its primary acknowledges.
        Replica.Suspend();
        await Primary.Server.ExecuteAsync("CLIENT", "KILL", "TYPE", "replica");
        var latest = Next(Uids);
        Assert.Empty(await Store.WriteAsync(latest, Stop));
        await Primary.KillAsync();
        Replica.Resume();
        await RedisCluster.UntilAsync(Replica.IsPrimaryAsync);
        await RedisCluster.UntilAsync(async () => await Replica.TellAsync($"SET {KeyOf(owned[0])} 7") is ["+OK"]); // not before its cluster is whole again
        Assert.Equal(old[2..], (await ValuesAsync(Replica, owned))[2..]);

        await RedisCluster.UntilAsync(() => Task.FromResult(Store.Losses > 0));
        var seen = new List<ExternalStatus>();
        await RedisStatusStoreContract.WaitAsync(Store, seen, () => seen.Count > 0);
        Assert.Equal((owned[0], Status.Forwarding), (Assert.Single(seen).Uid.ToString(), seen[0].Status));
        latest[Array.IndexOf(Uids, owned[0])] = Assert.Single(Next([owned[0]])); // as its shard does, to which it is a change
        await RedisStatusStoreContract.WriteUntilTakenAsync(Store, latest);
        await IsWholeAsync(latest);
    }

    private static Task<string[]> ValuesAsync(RedisProcess server, IEnumerable<string> uids) => server.TellAsync(["READONLY", .. uids.Select(uid => $"GET {KeyOf(uid)}")]);
}
