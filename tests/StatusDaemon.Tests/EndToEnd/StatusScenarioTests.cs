namespace StatusDaemon.EndToEnd;

/// <summary>What people see of each other, through the real program.</summary>
public sealed class StatusScenarioTests
{
    [Fact]
    public async Task A_status_goes_from_client_to_client_as_it_came()
    {
        await using var server = await StatusdProcess.StartAsync(StatusdProcess.TrustedHeader);
        await using var a = await TestSocket.ConnectAsync(server, "uid-a");
        await using var c = await TestSocket.ConnectAsync(server, "uid-c");

        Assert.Equal("""{"status":8,"publisher":"uid-c"}""", await a.WatchAsync("uid-c"));
        await c.SendAsync("""{"status":2,"timestamp":"1627128694.693686"}""");

        Assert.Equal("""{"status":2,"publisher":"uid-c","timestamp":"1627128694.693686"}""", await a.ReceiveAsync());
    }

    [Fact]
    public async Task Black_listing_shows_unknown_once_and_taking_it_back_the_current_status()
    {
        await using var server = await StatusdProcess.StartAsync(StatusdProcess.TrustedHeader);
        await using var a = await TestSocket.ConnectAsync(server, "uid-a");
        await using var b = await TestSocket.ConnectAsync(server, "uid-b");
        await using var c = await TestSocket.ConnectAsync(server, "uid-c");
        await a.WatchAsync("uid-c");
        await b.WatchAsync("uid-c");
        await c.SendAsync("""{"status":1}""");
        await a.SeesAsync("uid-c", 1);
        await b.SeesAsync("uid-c", 1);

        await server.WriteDirectoryAsync(StatusdProcess.Directory.Replace("name: C", "name: C, black: [uid-b]", StringComparison.Ordinal));
        Assert.Equal("""{"status":8,"publisher":"uid-c"}""", await b.ReceiveAsync());
        await c.SendAsync("""{"status":2}""");
        await a.SeesAsync("uid-c", 2);
        await server.WriteDirectoryAsync(StatusdProcess.Directory);

        // Nothing came in between: the very next frame is the reveal.
        Assert.Equal("""{"status":2,"publisher":"uid-c"}""", await b.ReceiveAsync());
    }

    [Fact]
    public async Task Who_is_removed_from_the_directory_is_closed_and_hidden()
    {
        await using var server = await StatusdProcess.StartAsync(StatusdProcess.TrustedHeader);
        await using var a = await TestSocket.ConnectAsync(server, "uid-a");
        await using var c = await TestSocket.ConnectAsync(server, "uid-c");
        await a.WatchAsync("uid-c");
        await c.SendAsync("""{"status":1}""");
        await a.SeesAsync("uid-c", 1);

        await server.WriteDirectoryAsync(string.Join('\n', StatusdProcess.Directory.Split('\n').Where(line => !line.Contains("uid-c", StringComparison.Ordinal))));

        Assert.Null(await c.ReceiveAsync());
        Assert.Equal(1008, (int?)c.CloseStatus);
        await a.SeesAsync("uid-c", 8);
    }

    [Fact]
    public async Task A_killed_server_comes_back_with_what_it_had_saved()
    {
        await using var server = await StatusdProcess.StartAsync(StatusdProcess.TrustedHeader);
        await using (var a = await TestSocket.ConnectAsync(server, "uid-a"))
        await using (var c = await TestSocket.ConnectAsync(server, "uid-c"))
        {
            await a.WatchAsync("uid-c");
            await c.SendAsync("""{"status":5,"timestamp":17}""");
            await a.SeesAsync("uid-c", 5);
            await Task.Delay(TimeSpan.FromMilliseconds(200), TestContext.Current.CancellationToken); // STORAGE.flush: from here on it must not be lost
            await server.KillAsync();
        }

        await server.StartAgainAsync();
        await using var again = await TestSocket.ConnectAsync(server, "uid-a");

        Assert.Equal("""{"status":5,"publisher":"uid-c","timestamp":17}""", await again.WatchAsync("uid-c"));
    }

    [Fact]
    public async Task Who_is_gone_for_longer_than_the_grace_goes_offline_once()
    {
        await using var server = await StatusdProcess.StartAsync(StatusdProcess.TrustedHeader + "\nSERVICE: { offline: { after: 1s } }");
        await using var a = await TestSocket.ConnectAsync(server, "uid-a");
        await a.WatchAsync("uid-c");
        await using (var c = await TestSocket.ConnectAsync(server, "uid-c"))
        {
            await c.SendAsync("""{"status":1}""");
            await a.SeesAsync("uid-c", 1);
        }

        Assert.Equal("""{"status":3,"publisher":"uid-c"}""", await a.ReceiveAsync());
        await using var b = await TestSocket.ConnectAsync(server, "uid-b");
        await b.SendAsync("""{"status":1,"events":{"uid-b":9}}""");
        await a.SendAsync("""{"events":{"uid-b":9}}""");
        Assert.Contains("uid-b", await a.ReceiveAsync(), StringComparison.Ordinal); // and nothing of uid-c before it
    }

    [Fact]
    public async Task A_stop_says_restart_and_ends_with_0_in_time()
    {
        await using var server = await StatusdProcess.StartAsync(StatusdProcess.TrustedHeader);
        await using var a = await TestSocket.ConnectAsync(server, "uid-a");
        var closing = a.ReceiveAsync();

        Assert.Equal(0, await server.StopAsync());
        Assert.Null(await closing);
        Assert.Equal(1012, (int?)a.CloseStatus);
    }

    [Fact]
    public async Task A_message_that_can_t_be_taken_is_answered_and_changes_nothing()
    {
        (string Message, string Code)[] cases =
        [
            ("{", "bad-json"),
            ("[]", "bad-json"),
            ("""{"status":9,"events":{"uid-b":9}}""", "unknown-status"),
            ("""{"status":"1"}""", "bad-message"),
            ("""{"events":{"uid-b":11}}""", "unknown-operation"),
            ("""{"status":1,"publisher":"uid-b"}""", "not-your-publisher"),
            ("""{"status":1,"status":2}""", "bad-message"),
        ];
        await using var server = await StatusdProcess.StartAsync(StatusdProcess.TrustedHeader);
        await using var a = await TestSocket.ConnectAsync(server, "uid-a");
        foreach (var (message, code) in cases)
        {
            await a.SendAsync(message);

            Assert.StartsWith($$"""{"error":"{{code}}",""", await a.ReceiveAsync(), StringComparison.Ordinal);
        }

        Assert.Equal("""{"status":8,"publisher":"uid-a"}""", await a.WatchAsync("uid-a"));
    }
}
