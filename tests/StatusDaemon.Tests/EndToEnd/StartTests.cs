namespace StatusDaemon.EndToEnd;

/// <summary>Starts that cannot be: each ends with 1 and one clear reason.</summary>
public sealed class StartTests
{
    [Fact]
    public async Task A_wrong_setting_is_named_with_file_and_line()
    {
        var (exitCode, output) = await StatusdProcess.FailAsync(StatusdProcess.TrustedHeader + "\nSERVICE:\n  prot: 1\n");

        Assert.Equal(1, exitCode);
        Assert.Contains("~/settings.yml:3: ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_directory_is_named_with_file_and_line()
    {
        var (exitCode, output) = await StatusdProcess.FailAsync(
            StatusdProcess.TrustedHeader, StatusdProcess.Directory.Replace("uid: uid-c", "uid: uid-a", StringComparison.Ordinal));

        Assert.Equal(1, exitCode);
        Assert.Contains("~/directory.yml:4: ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_instead_of_settings_is_called_one()
    {
        await using var up = ClientProcess.Start("dotnet", [Path.Combine(AppContext.BaseDirectory, "statusd.dll"), "up", "--config", "/tmp"], new Dictionary<string, string> { ["LC_ALL"] = "C.UTF-8" });

        Assert.Equal(1, await up.EndedAsync());
        Assert.Contains("statusd: /tmp: it is a folder, not a file", up.Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_is_told_to_end_while_it_starts_ends_with_0_and_leaves_the_store_closed()
    {
        await using var server = await StatusdProcess.StopWhenStoreOpensAsync(StatusdProcess.TrustedHeader);

        Assert.Equal(0, server.Process.ExitCode);
        Assert.DoesNotContain("status-daemon is up", server.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(System.IO.Directory.EnumerateFiles(server.StatePath), file => file.EndsWith("-wal", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Neither_state_nor_port_can_be_shared_and_two_servers_live_side_by_side()
    {
        await using var first = await StatusdProcess.StartAsync(StatusdProcess.TrustedHeader);

        var sameState = await StatusdProcess.FailAsync(StatusdProcess.TrustedHeader, environment: new Dictionary<string, string> { ["STATUSD_STATE__PATH"] = first.StatePath });
        Assert.Equal(1, sameState.ExitCode);
        Assert.Contains(first.StatePath, sameState.Output, StringComparison.Ordinal);

        var samePort = await StatusdProcess.FailAsync(StatusdProcess.TrustedHeader, environment: new Dictionary<string, string> { ["STATUSD_SERVICE__PORT"] = $"{first.Port}" });
        Assert.Equal(1, samePort.ExitCode);
        Assert.Contains("SERVICE.port", samePort.Output, StringComparison.Ordinal);

        await using var second = await StatusdProcess.StartAsync(StatusdProcess.TrustedHeader);
        await using var here = await TestSocket.ConnectAsync(first, "uid-a");
        await using var there = await TestSocket.ConnectAsync(second, "uid-a");
        await here.SendAsync("""{"status":2,"events":{"uid-a":9}}""");
        await here.SeesAsync("uid-a", 2);
        Assert.Equal("""{"status":8,"publisher":"uid-a"}""", await there.WatchAsync("uid-a"));
    }
}
