using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace StatusDaemon.EndToEnd;

/// <summary>More connections at once than the server lets in.</summary>
public sealed class StormTests(StormTests.QuickDoor shared) : IClassFixture<StormTests.QuickDoor>
{
    private const int Arrivals = 4096; // decision 0014
    private const int OtherFiles = 400; // of the process

    [Fact]
    public async Task Connections_that_say_nothing_hold_the_door_for_a_while_and_nobody_inside()
    {
        var names = shared.Take(2);
        await using var inside = await TestSocket.ConnectAsync(shared.Server, names[0]);
        List<Socket> idle = [];
        try
        {
            for (var number = 0; number < Arrivals + 500; number++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                idle.Add(socket);
                await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, shared.Server.Port), TestContext.Current.CancellationToken);
            }

            Assert.InRange(OpenFiles(), 0, Arrivals + OtherFiles);
            await inside.SendAsync("""{"status":2}""");
            Assert.Equal($$"""{"status":2,"publisher":"{{names[0]}}"}""", await inside.WatchAsync(names[0]));
            await using var late = await TestSocket.ConnectAsync(shared.Server, names[1]);
            Assert.Equal($$"""{"status":2,"publisher":"{{names[0]}}"}""", await late.WatchAsync(names[0]));
        }
        finally
        {
            idle.ForEach(socket => socket.Dispose());
        }
    }

    [Fact]
    public async Task Those_who_come_all_at_once_all_come_in_and_their_memory_goes_back()
    {
        const int Clients = 150, Rounds = 7;
        for (var round = 0; round < Rounds; round++)
        {
            var clients = await Task.WhenAll(Enumerable.Range(0, Clients).Select(number => TestSocket.ConnectAsync(shared.Server, $"stranger-{number}")));
            foreach (var client in clients)
            {
                await client.DisposeAsync();
            }
        }

        await shared.Server.SeesAsync("A storm of connections is over");
    }

    private int OpenFiles() => Directory.GetFiles(string.Create(CultureInfo.InvariantCulture, $"/proc/{shared.Server.Process.Id}/fd")).Length;

    /// <summary>A server whose door is not held for long.</summary>
    public sealed class QuickDoor() : SharedServer("SERVICE: { limits: { handshake: 2s } }");
}
