using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using StatusDaemon.Tests.Protocol;

namespace StatusDaemon.EndToEnd;

/// <summary>A client of <c>/pubsub</c> that makes its upgrade and its frames by hand, so that they may be wrong and it may refuse to read; with TLS where the server speaks it.</summary>
internal sealed class RawSocket : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly byte[] buffer = new byte[64 * 1024];
    private readonly Stream stream;
    private int start;
    private int end;

    private RawSocket(Socket socket, Stream stream)
    {
        Socket = socket;
        this.stream = stream;
    }

    /// <summary>The TCP socket.</summary>
    public Socket Socket { get; }

    /// <summary>Connects and upgrades as a subscriber, in trusted-header mode.</summary>
    /// <param name="behind">Bytes that follow the request in the same segment.</param>
    /// <param name="receiveBuffer">Bytes that the kernel takes for whoever does not read; 0 leaves its default.</param>
    public static async Task<RawSocket> ConnectAsync(IListening server, string uid, byte[]? behind = null, int receiveBuffer = 0)
    {
        var client = await ConnectTcpAsync(server, receiveBuffer);
        var sending = client.SendAsync((byte[])[.. Upgrade(uid), .. behind ?? []]);
        await client.ReadUpgradeAsync();
        await sending;
        return client;
    }

    /// <summary>Connects, up to the end of the TLS handshake if there is one, and says nothing.</summary>
    public static async Task<RawSocket> ConnectTcpAsync(IListening server, int receiveBuffer = 0)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBuffer > 0)
        {
            socket.ReceiveBufferSize = receiveBuffer;
        }

        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, server.Port)).WaitAsync(Patience);
        var plain = new NetworkStream(socket, ownsSocket: false);
        if (!server.IsTls)
        {
            return new RawSocket(socket, plain);
        }

        var secured = new SslStream(plain, leaveInnerStreamOpen: false, static (_, certificate, _, _) => certificate?.Subject == "CN=localhost");
        await secured.AuthenticateAsClientAsync("localhost").WaitAsync(Patience);
        return new RawSocket(socket, secured);
    }

    /// <summary>A good upgrade request.</summary>
    public static byte[] Upgrade(string uid) => Encoding.ASCII.GetBytes(
        $"GET /pubsub HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-Status-Uid: {uid}\r\n\r\n");

    /// <summary>Sends bytes as they are; to a server that has closed, nothing.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await stream.WriteAsync(bytes);
        }
        catch (IOException)
        {
            // What the server said before it closed is still to be read.
        }
    }

    /// <summary>Sends a text message in one frame.</summary>
    public Task SendAsync(string json) => SendAsync(ClientFrames.Frame(ClientFrames.Text, json));

    /// <summary>Sends no more, and reads on.</summary>
    public async Task EndSendingAsync()
    {
        try
        {
            if (stream is SslStream secured)
            {
                await secured.ShutdownAsync();
            }

            Socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // The server was first.
        }
    }

    /// <summary>Reads the answer to an upgrade request, which must be a good one.</summary>
    public async Task ReadUpgradeAsync()
    {
        var answer = await ReadHeadersAsync();
        if (!answer.StartsWith("HTTP/1.1 101 ", StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"The upgrade was answered '{answer}'.");
        }
    }

    /// <summary>Reads the head of an HTTP answer.</summary>
    public async Task<string> ReadHeadersAsync()
    {
        while (true)
        {
            var text = Encoding.ASCII.GetString(buffer, start, end - start);
            if (text.IndexOf("\r\n\r\n", StringComparison.Ordinal) is >= 0 and var length)
            {
                start += length + 4;
                return text[..length];
            }

            if (!await FillAsync())
            {
                throw new InvalidOperationException($"The stream ended behind '{text}'.");
            }
        }
    }

    /// <summary>The next frame; null when the stream has ended or was reset.</summary>
    public async Task<(int Opcode, byte[] Payload)?> ReadFrameAsync()
    {
        while (true)
        {
            var bytes = buffer.AsMemory(start, end - start);
            if (bytes.Length >= 2)
            {
                var form = bytes.Span[1];
                var header = form == 126 ? 4 : 2;
                var length = form == 126 && bytes.Length >= 4 ? BinaryPrimitives.ReadUInt16BigEndian(bytes.Span[2..]) : form;
                if (bytes.Length >= header + length)
                {
                    start += header + length;
                    return (bytes.Span[0] & 0x0F, bytes.Slice(header, length).ToArray());
                }
            }

            if (!await FillAsync())
            {
                return null;
            }
        }
    }

    /// <summary>The next text message; null when the server closes or the stream ends.</summary>
    public async Task<string?> ReadTextAsync()
    {
        while (await ReadFrameAsync() is { } frame)
        {
            if (frame.Opcode == ClientFrames.Text)
            {
                return Encoding.UTF8.GetString(frame.Payload);
            }

            if (frame.Opcode == ClientFrames.Close)
            {
                CloseCode = BinaryPrimitives.ReadUInt16BigEndian(frame.Payload);
                return null;
            }
        }

        return null;
    }

    /// <summary>Code of the close frame that <see cref="ReadTextAsync"/> met.</summary>
    public int? CloseCode { get; private set; }

    /// <summary>Reads on until the server closes.</summary>
    /// <returns>The code of its close frame; null if the stream ended without one.</returns>
    public async Task<int?> ReadCloseAsync()
    {
        while (await ReadTextAsync() is not null)
        {
        }

        return CloseCode;
    }

    /// <summary>Reads on until the TCP connection ends.</summary>
    public async Task ReadToEndAsync()
    {
        start = end = 0;
        while (await FillAsync())
        {
            start = end = 0;
        }
    }

    /// <summary>Reads on until the TCP connection ends, and gives what came, which is no more than some thousand characters.</summary>
    public async Task<string> ReadAllAsync()
    {
        while (await FillAsync())
        {
        }

        return Encoding.ASCII.GetString(buffer, start, end - start);
    }

    /// <summary>Ends the connection with a reset, as a process that dies with unread data does.</summary>
    public void Reset()
    {
        Socket.LingerState = new LingerOption(enable: true, seconds: 0);
        Socket.Dispose();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Socket.Dispose();
        return stream.DisposeAsync();
    }

    private async Task<bool> FillAsync()
    {
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
        }

        try
        {
            var received = await stream.ReadAsync(buffer.AsMemory(end)).AsTask().WaitAsync(Patience);
            end += received;
            return received > 0;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
