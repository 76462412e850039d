using StackExchange.Redis;
using StatusDaemon.Settings;
using StatusDaemon.Storage;

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

        // Where shards are is for other releases to read.
        var places = await cluster.Redis.Commands.StringGetAsync([.. Enumerable.Range(0, 32).Select(shard => new RedisKey($"statusd:cluster:statusd/directory/statusd.shard/{shard:X}"))]);
        Assert.DoesNotContain(places, place => place.IsNull);
    }

    [Fact]
    public async Task Equals_take_over_from_one_that_is_killed_and_give_back_to_one_that_comes()
    {
        await using var cluster = await ClusterMembers.PrepareAsync("SERVICE: { offline: { after: 20s } }");
        await using var staying = await cluster.StartGatewayAsync("up");
        await using var dying = await cluster.StartGatewayAsync("up");
        await staying.SeesAsync(" 3503 ");
        await using var a = await cluster.ConnectAsync(staying, "a");
        await using var b = await cluster.ConnectAsync(staying, "b");
        await using var c = await cluster.ConnectAsync(staying, "c");
        await b.SendAsync("""{"status":1}""");
        await c.SendAsync("""{"status":2}""");
        await a.WatchAsync("uid-b");
        await a.WatchAsync("uid-c");
        await dying.KillAsync();
        await b.SendAsync("""{"status":4}""");
        await a.SeesAsync("uid-b", 4);
        await c.SendAsync("""{"status":5}""");
        await a.SeesAsync("uid-c", 5);
        await staying.SeesAsync(" 3504 ");

        dying.Launch();
        await dying.ReadyAsync();
        await dying.SeesAsync(" 3503 ");
        await using var again = await cluster.ConnectAsync(dying, "a");
        Assert.Equal("""{"status":4,"publisher":"uid-b"}""", await again.WatchAsync("uid-b"));
        await b.SendAsync("""{"status":6}""");
        await again.SeesAsync("uid-b", 6);
        Assert.Equal(0, await dying.StopAsync());
        await b.SendAsync("""{"status":7}""");
        await a.SeesAsync("uid-b", 7);
    }

    [Fact]
    public async Task A_cluster_outlives_the_loss_of_all_that_is_in_redis()
    {
        await using var cluster = await ClusterMembers.PrepareAsync();
        await using var staying = await cluster.StartDaemonAsync();
        await using var dying = await cluster.StartDaemonAsync();
        await using var gateway = await cluster.StartGatewayAsync();
        await staying.SeesAsync(" 3503 ");
        await using var a = await cluster.ConnectAsync(gateway, "a");
        await using var b = await cluster.ConnectAsync(gateway, "b");
        await using var c = await cluster.ConnectAsync(gateway, "c");
        await a.WatchAsync("uid-b");
        await a.WatchAsync("uid-c");
        await cluster.Redis.Commands.ExecuteAsync("FLUSHALL");
        await Task.WhenAny(staying.SeesAsync(" 3505 "), dying.SeesAsync(" 3505 "));
        await dying.KillAsync();
        await staying.SeesAsync(" 3504 ");
        await b.SendAsync("""{"status":4}""");
        await a.SeesAsync("uid-b", 4);
        await c.SendAsync("""{"status":5}""");
        await a.SeesAsync("uid-c", 5);
        await using var next = await cluster.StartDaemonAsync();
        await next.SeesAsync(" 3503 ");
    }

    [Fact]
    public async Task The_rights_that_the_document_names_are_enough_for_a_member()
    {
        await using var cluster = await ClusterMembers.PrepareAsync();
        await cluster.Redis.Server.ExecuteAsync("ACL", ["SETUSER", "member", "on", ">secret", .. RedisSocketStoreTests.Rights, "~statusd:cluster:*"]);
        await cluster.Redis.Server.ExecuteAsync("ACL", "SETUSER", "default", "off");
        var user = new Dictionary<string, string> { ["STATUSD_REDIS__USER"] = "member", ["STATUSD_REDIS__PASSWORD"] = "secret" };
        await using var daemon = cluster.Launch("daemon", user);
        await daemon.SeesAsync("The daemon is up");
        await using var other = cluster.Launch("up", user);
        await other.ReadyAsync();
        await daemon.SeesAsync(" 3503 ");
        await using var gateway = cluster.Launch("ws-server", user);
        await gateway.ReadyAsync();
        await using var a = await cluster.ConnectAsync(gateway, "a");
        await using var b = await cluster.ConnectAsync(other, "b");
        await a.WatchAsync("uid-b");
        await b.SendAsync("""{"status":4}""");
        await a.SeesAsync("uid-b", 4);
        Assert.DoesNotContain("NOPERM", daemon.Output + other.Output + gateway.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_daemon_stops_although_redis_is_away_and_its_shards_begin_at_the_other_when_it_is_back()
    {
        await using var cluster = await ClusterMembers.PrepareAsync();
        await using var staying = await cluster.StartDaemonAsync();
        await using var stopping = await cluster.StartDaemonAsync();
        await using var gateway = await cluster.StartGatewayAsync();
        await staying.SeesAsync(" 3503 ");
        await using var a = await cluster.ConnectAsync(gateway, "a");
        await using var b = await cluster.ConnectAsync(gateway, "b");
        await a.WatchAsync("uid-b");
        await cluster.Redis.KillAsync();
        Assert.Equal(0, await stopping.StopAsync());
        Assert.Contains(" 3506 ", stopping.Output, StringComparison.Ordinal);
        await b.SendAsync("""{"status":4}""");
        await cluster.Redis.StartAgainAsync();
        await a.SeesAsync("uid-b", 4);
    }

    [Fact]
    public async Task A_daemon_that_was_given_up_while_it_hung_ends_in_words_when_it_wakes()
    {
        await using var cluster = await ClusterMembers.PrepareAsync();
        await using var staying = await cluster.StartDaemonAsync();
        await using var hanging = await cluster.StartDaemonAsync();
        await hanging.SeesAsync(" 3503 ");
        hanging.Suspend();
        await staying.SeesAsync(" 3504 ");
        hanging.Resume();
        Assert.Equal(1, await hanging.EndedAsync());
        await hanging.SeesAsync(" 3502 ");
        Assert.DoesNotContain("   at ", hanging.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_daemon_with_another_number_of_shards_does_not_start_nor_does_a_gateway()
    {
        await using var cluster = await ClusterMembers.PrepareAsync();
        await using var daemon = await cluster.StartDaemonAsync();
        var other = new Dictionary<string, string> { ["STATUSD_CLUSTER__SHARDS"] = "64" };
        foreach (var module in (string[])["daemon", "ws-server"])
        {
            await using var misfit = cluster.Launch(module, other);
            Assert.Equal(1, await misfit.EndedAsync());
            Assert.Contains("have 32 shards, and CLUSTER.shards is 64 here", misfit.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_gateway_that_was_not_stopped_while_the_number_of_shards_was_changed_reaches_none()
    {
        await using var cluster = await ClusterMembers.PrepareAsync("LOG: { level: debug }");
        await using var daemon = await cluster.StartDaemonAsync();
        await using var gateway = await cluster.StartGatewayAsync();
        await using var a = await cluster.ConnectAsync(gateway, "a");
        await a.WatchAsync("uid-b");
        await a.WatchAsync("uid-c");
        Assert.Equal(0, await daemon.StopAsync());
        await cluster.Redis.Commands.HashSetAsync("statusd:cluster:statusd", "shards", 64);
        await using var other = cluster.Launch("daemon", new Dictionary<string, string> { ["STATUSD_CLUSTER__SHARDS"] = "64" });
        await gateway.SeesAsync("it has another CLUSTER.shards, and must be started with ours");
    }

    [Fact]
    public async Task Who_is_hidden_by_the_file_of_one_daemon_is_hidden_whichever_has_the_shard()
    {
        string[] publishers = [.. Enumerable.Range(0, 12).Select(number => $"uid-{number}")]; // shards of both
        var shown = StatusdProcess.Directory + string.Concat(publishers.Select(uid => $"  - {{ uid: {uid}, dname: {uid}@ALPHA.TEST, black: [] }}\n"));
        await using var cluster = await ClusterMembers.PrepareAsync(directory: shown);
        using var folder = new TempFolder();
        var file = folder.Write("directory.yml", shown);
        await using var one = await cluster.StartDaemonAsync();
        await using var other = await cluster.StartDaemonAsync(file);
        await using var gateway = await cluster.StartGatewayAsync();
        await using var a = await cluster.ConnectAsync(gateway, "a");
        foreach (var uid in publishers)
        {
            await a.WatchAsync(uid);
            await cluster.Redis.Commands.StringSetAsync($"status:{uid}", 2);
            await a.SeesAsync(uid, 2);
        }

        Replace(shown.Replace("black: []", "black: [uid-a]", StringComparison.Ordinal));
        await AllAreAsync(8);
        await one.SeesAsync(" 5004 ");
        Replace(shown);
        await AllAreAsync(2);
        await one.SeesAsync(" 5005 ");

        void Replace(string content) => File.Move(folder.Write("next.yml", content), file, overwrite: true);

        async Task AllAreAsync(int status)
        {
            var left = publishers.Select(uid => $$"""{"status":{{status}},"publisher":"{{uid}}"}""").ToHashSet();
            while (left.Count > 0)
            {
                Assert.True(left.Remove((await a.ReceiveAsync())!));
            }
        }
    }

    [Fact]
    public async Task What_another_program_writes_is_seen_whichever_daemon_has_the_shard_and_written_back_by_that_one_alone()
    {
        await using var cluster = await ClusterMembers.PrepareAsync();
        await using var one = await cluster.StartDaemonAsync();
        await using var other = await cluster.StartDaemonAsync();
        await using var gateway = await cluster.StartGatewayAsync();
        await using var a = await cluster.ConnectAsync(gateway, "a");
        foreach (var uid in (string[])["uid-a", "uid-b", "uid-c"])
        {
            await a.WatchAsync(uid);
            for (var status = 1; status <= 7; status++)
            {
                await cluster.Redis.Commands.StringSetAsync($"status:{uid}", status);
                Assert.Equal($$"""{"status":{{status}},"publisher":"{{uid}}"}""", await a.ReceiveAsync());
            }
        }

        // Where shards are is for other releases to read.
        var places = await cluster.Redis.Commands.StringGetAsync([.. Enumerable.Range(0, 32).Select(shard => new RedisKey($"statusd:cluster:statusd/directory/statusd.shard/{shard:X}"))]);
        Assert.DoesNotContain(places, place => place.IsNull);

        Assert.DoesNotContain(" 4111 ", one.Output + other.Output, StringComparison.Ordinal);
    }
}
