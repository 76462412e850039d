using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using StatusDaemon.EndToEnd;
using StatusDaemon.Tests.Protocol;

namespace StatusDaemon.Transport;

/// <summary>Who may write to a socket past Kestrel: nobody where there is TLS.</summary>
public sealed class DetachableTests
{
    [Theory, InlineData(false), InlineData(true)]
    public async Task A_request_is_offered_its_socket_unless_there_is_TLS_on_it(bool tls)
    {
        await using var server = await ServerHere.StartAsync(tls);
        var requests = new Requests(server.Port);
        using var listening = DiagnosticListener.AllListeners.Subscribe(requests);

        await using var client = await RawSocket.ConnectAsync(server, "a");

        Assert.Equal([!tls], requests.AreOffered);
    }

    [Fact]
    public async Task Every_byte_of_a_TLS_server_is_in_a_record_of_TLS()
    {
        await using var server = await ServerHere.StartAsync(tls: true);
        using var tap = new Tap(server);
        await using (var client = await RawSocket.ConnectAsync(tap, "a", ClientFrames.Frame(ClientFrames.Text, """{"events":{"a":9}}""")))
        {
            Assert.Equal("""{"status":8,"publisher":"a"}""", await client.ReadTextAsync());
            for (var i = 0; i < 200; i++)
            {
                await client.SendAsync((byte[])[.. ClientFrames.Frame(ClientFrames.Text, """{"status":1}"""), .. ClientFrames.Frame(ClientFrames.Text, "{"), .. ClientFrames.Frame(ClientFrames.Ping, "x")]);
            }

            await client.SendAsync(ClientFrames.Frame(ClientFrames.Binary, ""));
            Assert.Equal(1003, await client.ReadCloseAsync());
        }

        var rest = (await tap.EndedAsync()).AsSpan();
        Assert.True(rest.Length > 10_000);
        while (!rest.IsEmpty)
        {
            Assert.InRange(rest[0], 20, 23); // RFC 8446 §5.1: change_cipher_spec, alert, handshake, application_data
            Assert.Equal(3, rest[1]);
            var length = BinaryPrimitives.ReadUInt16BigEndian(rest[3..]);
            Assert.InRange(length, 1, (1 << 14) + 256);
            rest = rest[(5 + length)..];
        }
    }

    /// <summary>Notes what each request of a server finds, before anybody serves it.</summary>
    private sealed class Requests(int port) : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
    {
        private readonly List<bool> areOffered = [];

        /// <summary>Whether they were offered their sockets.</summary>
        public IReadOnlyList<bool> AreOffered
        {
            get
            {
                lock (areOffered)
                {
                    return [.. areOffered];
                }
            }
        }

        public void OnNext(DiagnosticListener value)
        {
            if (value.Name == "Microsoft.AspNetCore")
            {
                value.Subscribe(this, static name => name.StartsWith("Microsoft.AspNetCore.Hosting.HttpRequestIn", StringComparison.Ordinal));
            }
        }

        public void OnNext(KeyValuePair<string, object?> value)
        {
            if (value is { Key: "Microsoft.AspNetCore.Hosting.HttpRequestIn.Start", Value: HttpContext http } && http.Connection.LocalPort == port)
            {
                lock (areOffered)
                {
                    areOffered.Add(http.Features.Get<Detachable>() is not null);
                }
            }
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }
    }

    /// <summary>Stands between one client and a server, and keeps what the server sends.</summary>
    private sealed class Tap : IListening, IDisposable
    {
        private readonly TcpListener listener = new(IPAddress.Loopback, 0);
        private readonly Task<byte[]> passing;

        public Tap(IListening server)
        {
            IsTls = server.IsTls;
            listener.Start();
            passing = PassAsync(server.Port);
        }

        public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

        public bool IsTls { get; }

        /// <summary>All that the server has sent, when it sends no more.</summary>
        public Task<byte[]> EndedAsync() => passing.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

        public void Dispose() => listener.Dispose();

        private async Task<byte[]> PassAsync(int port)
        {
            using var client = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
            using var server = new TcpClient();
            await server.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
            using var kept = new MemoryStream();
            var there = CopyAsync(client, server, Stream.Null);
            await CopyAsync(server, client, kept);
            await there;
            return kept.ToArray();
        }

        private static async Task CopyAsync(TcpClient from, TcpClient to, Stream kept)
        {
            var buffer = new byte[16 * 1024];
            try
            {
                for (var read = await from.GetStream().ReadAsync(buffer); read > 0; read = await from.GetStream().ReadAsync(buffer))
                {
                    await kept.WriteAsync(buffer.AsMemory(0, read));
                    await to.GetStream().WriteAsync(buffer.AsMemory(0, read));
                }

                to.Client.Shutdown(SocketShutdown.Send);
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                // One of them is gone; the other end of it is seen by the other copy.
            }
        }
    }
}
