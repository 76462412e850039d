namespace StatusDaemon.EndToEnd;

/// <summary>The directory file while the server runs: changed in every way that editors know, and wrong.</summary>
public sealed class DirectoryFollowTests
{
    private static readonly string Hidden = StatusdProcess.Directory.Replace("name: C", "name: C, black: [uid-a]", StringComparison.Ordinal);

    [Fact]
    public async Task A_bad_file_is_refused_whole_and_the_old_rules_stay_in_force()
    {
        await using var server = await StatusdProcess.StartAsync(StatusdProcess.TrustedHeader, Hidden);
        await using var a = await TestSocket.ConnectAsync(server, "uid-a");
        await using var c = await TestSocket.ConnectAsync(server, "uid-c");

        await server.WriteDirectoryAsync(StatusdProcess.Directory + "  - { uid: uid-d, dname: a@ALPHA.TEST }\n");
        await server.SeesAsync($"{server.DirectoryPath}:5: ");
        await server.SeesAsync("was refused whole");

        var ready = await server.AskReadyAsync();
        Assert.Equal("ready\ndirectory: the file as it is now is not in force; the log says why (event 5002)\n", ready); // and nothing of what is in it
        await c.SendAsync("""{"status":2,"events":{"uid-c":9}}""");
        await c.SeesAsync("uid-c", 2);
        Assert.Equal("""{"status":8,"publisher":"uid-c"}""", await a.WatchAsync("uid-c"));

        await server.WriteDirectoryAsync(StatusdProcess.Directory);
        Assert.Equal("""{"status":2,"publisher":"uid-c"}""", await a.ReceiveAsync());
        Assert.Equal("ready\n", await server.AskReadyAsync());
    }

    [Fact]
    public async Task Every_way_to_replace_the_file_is_followed()
    {
        await using var server = await StatusdProcess.StartAsync(StatusdProcess.TrustedHeader);
        await using var a = await TestSocket.ConnectAsync(server, "uid-a");
        await using var c = await TestSocket.ConnectAsync(server, "uid-c");
        await c.SendAsync("""{"status":2,"events":{"uid-c":9}}""");
        await c.SeesAsync("uid-c", 2);
        await a.WatchAsync("uid-c");

        await File.WriteAllTextAsync(server.DirectoryPath, Hidden, TestContext.Current.CancellationToken); // in place
        Assert.Equal("""{"status":8,"publisher":"uid-c"}""", await a.ReceiveAsync());
        await server.WriteDirectoryAsync(StatusdProcess.Directory); // by rename
        Assert.Equal("""{"status":2,"publisher":"uid-c"}""", await a.ReceiveAsync());

        File.Delete(server.DirectoryPath);
        await server.SeesAsync("was refused whole");
        Assert.Contains("not in force", await server.AskReadyAsync(), StringComparison.Ordinal);
        await File.WriteAllTextAsync(server.DirectoryPath, Hidden, TestContext.Current.CancellationToken); // made anew
        Assert.Equal("""{"status":8,"publisher":"uid-c"}""", await a.ReceiveAsync());

        // In pieces, slower than it is looked at: half a file may be good YAML.
        await using (var pieces = new FileStream(server.DirectoryPath, FileMode.Create))
        {
            foreach (var line in StatusdProcess.Directory.Split('\n'))
            {
                await pieces.WriteAsync(System.Text.Encoding.UTF8.GetBytes(line + "\n"), TestContext.Current.CancellationToken);
                await pieces.FlushAsync(TestContext.Current.CancellationToken);
            }
        }

        Assert.Equal("""{"status":2,"publisher":"uid-c"}""", await a.ReceiveAsync());
        Assert.Null(c.CloseStatus);
    }
}
