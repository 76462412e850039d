using System.Net;
using System.Net.Sockets;

namespace StatusDaemon.EndToEnd;

/// <summary>A machine that gives the server few files: connections take all but a reserve, and wait at the door for the rest.</summary>
public sealed class OpenFilesTests
{
    [Fact]
    public async Task Connections_leave_the_server_files_to_live_on()
    {
        await using var server = await StatusdProcess.StartAsync(StatusdProcess.TrustedHeader + "\nSERVICE: { limits: { handshake: 2s } }", openFiles: 600);
        await using var a = await TestSocket.ConnectAsync(server, "uid-a");
        await using var c = await TestSocket.ConnectAsync(server, "uid-c");
        List<TcpClient> idle = [];
        for (var i = 0; i < 600; i++)
        {
            var one = new TcpClient();
            idle.Add(one);
            await one.ConnectAsync(IPAddress.Loopback, server.Port, TestContext.Current.CancellationToken);
        }

        await server.SeesAsync("A connection could not be taken and waits: Too many open files");
        Assert.InRange(Directory.GetFiles($"/proc/{server.Process.Id}/fd").Length, 300, 560);
        await c.SendAsync("""{"status":2,"events":{"uid-c":9}}""");
        await c.SeesAsync("uid-c", 2);
        Assert.Equal("""{"status":2,"publisher":"uid-c"}""", await a.WatchAsync("uid-c"));

        idle.ForEach(one => one.Dispose());
        Assert.Equal("ready\n", await server.AskReadyAsync());
        await using var later = await TestSocket.ConnectAsync(server, "uid-a");
        Assert.Equal(0, await server.StopAsync());
    }

    [Fact]
    public async Task Too_few_files_are_refused_at_the_start()
    {
        var (exitCode, output) = await StatusdProcess.FailAsync(StatusdProcess.TrustedHeader, openFiles: 400);
        Assert.Equal((1, "statusd: This process may have 400 files open, and needs 512 or more: raise `ulimit -n`, or LimitNOFILE in systemd's unit."), (exitCode, output.Trim()));
    }
}
