namespace StatusDaemon.EndToEnd;

/// <summary>Several daemons, with their gateways apart or beside them, over one Redis.</summary>
public sealed class ClusterTests
{
    [Fact]
    public async Task What_is_said_at_one_gateway_is_seen_at_another_whichever_daemon_has_the_shard()
    {
        await using var cluster = await ClusterMembers.PrepareAsync();
        await using var one = await cluster.StartDaemonAsync();
        await using var other = await cluster.StartDaemonAsync();
        await using var east = await cluster.StartGatewayAsync();
        await using var west = await cluster.StartGatewayAsync();
        await using var a = await cluster.ConnectAsync(east, "a");
        await using var b = await cluster.ConnectAsync(west, "b");
        await using var c = await cluster.ConnectAsync(west, "c");
        foreach (var (publisher, uid) in ((TestSocket, string)[])[(b, "uid-b"), (c, "uid-c")])
        {
            await a.WatchAsync(uid);
            for (var status = 1; status <= 7; status++)
            {
                await publisher.SendAsync($$"""{"status":{{status}}}""");
                Assert.Equal($$"""{"status":{{status}},"publisher":"{{uid}}"}""", await a.ReceiveAsync());
            }
        }
    }
}
