using StatusDaemon.Redis;

namespace StatusDaemon.Storage;

/// <summary>A replica that has everything is promoted, and the old primary comes back, while statuses are written.</summary>
public sealed class RedisClusterFailoverTests : RedisClusterFailover
{
    [Fact]
    public async Task The_store_goes_on_with_the_promoted_server_and_when_the_old_one_is_back_as_its_replica()
    {
        await Store.WriteAsync(Next(Uids), Stop);
        await Replica.CatchesUpWithAsync(Primary);
        await Primary.KillAsync();

        // Shards write on all the while, each status that fails anew with what is newest then.
        var troubles = new HashSet<string>();
        var latest = await WriteUntilAsync(Replica.IsPrimaryAsync, troubles);
        Assert.Contains("Redis is away; the log says why (event 4101)", troubles);
        await IsWholeAsync(latest);
        Assert.True(await Store.NextEpochAsync(0, Stop) > Epoch);
        await IsHeardAsync(Replica, "2");

        await Primary.StartAgainAsync();
        latest = await WriteUntilAsync(Primary.ReplicatesAsync, troubles);
        await IsWholeAsync(latest);
        await Primary.CatchesUpWithAsync(Replica);
        await IsHeardAsync(Replica, "3");
        Assert.Subset(new HashSet<string> { "Redis is away; the log says why (event 4101)", "Redis has lost statuses, they are written again (event 4105)" }, troubles);
    }

    /// <summary>Writes new statuses of all, batch by batch, until something is so and all have been written since.</summary>
    /// <param name="troubles">What was wrong with the store meanwhile.</param>
    /// <returns>The last status of each.</returns>
    private async Task<List<StoredStatus>> WriteUntilAsync(Func<Task<bool>> isSo, HashSet<string> troubles)
    {
        while (true)
        {
            var isLast = await isSo();
            var losses = Store.Losses;
            List<StoredStatus> latest = [];
            foreach (var uids in Uids.Chunk(100))
            {
                var batch = Next(uids);
                while (await Record.ExceptionAsync(async () => Assert.Empty(await Store.WriteAsync(batch, Stop))) is { } failure)
                {
                    Assert.IsType<StoreException>(failure);
                    if (Store.Trouble is { } trouble)
                    {
                        troubles.Add(trouble);
                    }

                    await Task.Delay(5, Stop);
                    batch = Next(uids);
                }

                latest.AddRange(batch);
            }

            if (isLast && Store.Trouble is null && Store.Losses == losses)
            {
                return latest;
            }
        }
    }

    /// <summary>Other programs write, some of it to this server: all of it comes out.</summary>
    private async Task IsHeardAsync(RedisProcess server, string value)
    {
        string[] written = [.. Uids.Take(60)];
        Assert.Contains(written, uid => Cluster.OwnerOf(KeyOf(uid)) == Primary);
        foreach (var uid in written)
        {
            var owner = Cluster.OwnerOf(KeyOf(uid));
            Assert.Equal(["+OK"], await (owner == Primary ? server : owner).TellAsync($"SET {KeyOf(uid)} {value}"));
        }

        var seen = new List<ExternalStatus>();
        await RedisStatusStoreContract.WaitAsync(Store, seen, () => seen.Count == written.Length);
        Assert.Equal(written.ToHashSet(), seen.Select(status => status.Uid.ToString()).ToHashSet());
    }
}
