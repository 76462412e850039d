using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using StatusDaemon.Auth;

namespace StatusDaemon.EndToEnd;

/// <summary>A client of <c>/pubsub</c> in tests, with the runtime's own WebSocket.</summary>
internal sealed class TestSocket : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly ClientWebSocket socket = new();
    private readonly byte[] buffer = new byte[512 * 1024];

    /// <summary>Code and reason of the server's close frame; null before it came.</summary>
    public WebSocketCloseStatus? CloseStatus => socket.CloseStatus;

    /// <summary>The runtime's socket, for what only few tests do.</summary>
    public ClientWebSocket Socket => socket;

    /// <summary>Connects as a subscriber, in trusted-header mode.</summary>
    public static Task<TestSocket> ConnectAsync(IListening server, string uid) => ConnectAsync(server.Port, "X-Status-Uid", uid, server.IsTls);

    /// <summary>Connects as a subscriber, in trusted-header mode, to a port of loopback.</summary>
    public static Task<TestSocket> ConnectAsync(int port, string uid) => ConnectAsync(port, "X-Status-Uid", uid);

    /// <summary>Connects with a ticket that a test made.</summary>
    public static Task<TestSocket> ConnectAsync(StatusdProcess server, ForgedTicket ticket) =>
        ConnectAsync(server.Port, "Authorization", $"Negotiate {Convert.ToBase64String(ticket.ToToken())}");

    private static async Task<TestSocket> ConnectAsync(int port, string header, string value, bool tls = false)
    {
        var client = new TestSocket();
        client.socket.Options.RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate?.Subject == "CN=localhost";
        client.socket.Options.SetRequestHeader(header, value);
        await client.socket.ConnectAsync(new Uri($"{(tls ? "wss" : "ws")}://127.0.0.1:{port}/pubsub"), TestContext.Current.CancellationToken).WaitAsync(Patience);
        return client;
    }

    /// <summary>Sends a text message.</summary>
    public Task SendAsync(string json) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(json), WebSocketMessageType.Text, endOfMessage: true, TestContext.Current.CancellationToken);

    /// <summary>The next message; null when the server has closed.</summary>
    public async Task<string?> ReceiveAsync()
    {
        var length = 0;
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer.AsMemory(length), TestContext.Current.CancellationToken).AsTask().WaitAsync(Patience);
            if (received.MessageType == WebSocketMessageType.Close)
            {
                return null;
            }

            length += received.Count;
            if (received.EndOfMessage)
            {
                return Encoding.UTF8.GetString(buffer, 0, length);
            }
        }
    }

    /// <summary>Reads until a publisher has a status; what comes before of it or of others is passed over.</summary>
    public async Task SeesAsync(string publisher, int status)
    {
        while (await ReceiveAsync() is { } text)
        {
            using var json = JsonDocument.Parse(text);
            if (json.RootElement.TryGetProperty("publisher", out var who) && who.GetString() == publisher && json.RootElement.GetProperty("status").GetInt32() == status)
            {
                return;
            }
        }

        Assert.Fail($"Closed {socket.CloseStatus} ({socket.CloseStatusDescription}) before {publisher} was {status}.");
    }

    /// <summary>Subscribes and waits for the first answer.</summary>
    public async Task<string?> WatchAsync(string publisher)
    {
        await SendAsync("{\"events\":{\"" + publisher + "\":9}}");
        return await ReceiveAsync();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        socket.Dispose();
        return ValueTask.CompletedTask;
    }
}
