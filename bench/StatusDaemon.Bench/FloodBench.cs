using System.Buffers.Binary;
using System.Buffers.Text;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace StatusDaemon.Bench;

/// <summary>The whole server under publications flat out: starts it, connects clients that watch each other, and checks at the end that nobody misses anything.</summary>
/// <remarks>
/// The server runs in trusted-header mode on loopback. Each publisher has one publication under way and sends the next when it sees its own.
/// Load and server share the machine, so the figures are for comparing two builds on one machine, not for a data sheet.
/// </remarks>
internal static class FloodBench
{
    private const int Clients = 2000;
    private const int WatchesEach = 100;
    private const int Publishers = 64;
    private static readonly TimeSpan Flood = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(3);

    /// <summary>Runs the load for a minute.</summary>
    public static async Task RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("statusd-flood-").FullName;
        var port = FreePort();
        using var server = Start(folder, port);
        try
        {
            await ReadyAsync(port);
            await RunAsync(server, port);
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync();
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task RunAsync(Process server, int port)
    {
        using var stop = new CancellationTokenSource();
        var random = new Random(1);
        var clients = Enumerable.Range(0, Clients).Select(number => new LoadClient(number)).ToArray();
        var readers = new List<Task>(Clients);
        var start = Stopwatch.GetTimestamp();
        foreach (var client in clients)
        {
            await client.ConnectAsync(port);
            readers.Add(client.ReadAsync(stop.Token));
            int[] watched = [.. Enumerable.Range(0, WatchesEach).Select(_ => random.Next(Publishers)).Append(client.Number).Distinct().Where(number => number < Publishers || number == client.Number)];
            await client.WatchAsync(watched);
        }

        Measure.Print("clients connected, with their watches", string.Create(CultureInfo.InvariantCulture, $"{Clients} in {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s"));
        foreach (var publisher in clients[..Publishers])
        {
            publisher.IsPublishing = true;
            await publisher.PublishAsync();
        }

        start = Stopwatch.GetTimestamp();
        var before = clients.Sum(client => client.Received);
        var cpu = server.TotalProcessorTime;
        for (var round = 1; round <= 6; round++)
        {
            await Task.Delay(Flood / 6);
            server.Refresh();
            Measure.Print($"resident memory after {(int)(Flood / 6 * round).TotalSeconds} s", string.Create(CultureInfo.InvariantCulture, $"{server.WorkingSet64 / 1048576.0:F0} MiB"));
        }

        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var delivered = clients.Sum(client => client.Received) - before;
        server.Refresh();
        Measure.Print("deliveries", string.Create(CultureInfo.InvariantCulture, $"{delivered / seconds,12:N0} /s, {(server.TotalProcessorTime - cpu).TotalMicroseconds / delivered:F2} us of server CPU each"));

        foreach (var publisher in clients[..Publishers])
        {
            publisher.IsPublishing = false;
        }

        await Task.Delay(Quiet);
        var missing = clients.Sum(client => client.Missing(clients));
        Measure.Print("watches without the last status", string.Create(CultureInfo.InvariantCulture, $"{missing}"));
        await stop.CancelAsync();
        await Task.WhenAll(readers);
        foreach (var client in clients)
        {
            client.Dispose();
        }
    }

    private static Process Start(string folder, int port)
    {
        File.WriteAllText(Path.Combine(folder, "settings.yml"), $$"""
            AUTH: { mode: trusted-header }
            SERVICE: { port: {{port}}, limits: { messages: 1000000 } }
            STATE: { path: {{folder}}/var }
            PRIVILEGES: { file: {{folder}}/directory.yml }
            """);
        File.WriteAllText(Path.Combine(folder, "directory.yml"), "subscribers: []\n");
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        foreach (var word in (string[])[Path.Combine(AppContext.BaseDirectory, "statusd.dll"), "up", "--config", Path.Combine(folder, "settings.yml")])
        {
            start.ArgumentList.Add(word);
        }

        var server = Process.Start(start)!;
        server.OutputDataReceived += static (_, _) => { };
        server.BeginOutputReadLine();
        return server;
    }

    private static async Task ReadyAsync(int port)
    {
        using var http = new HttpClient();
        for (var patience = Stopwatch.StartNew(); patience.Elapsed < TimeSpan.FromSeconds(60);)
        {
            try
            {
                using var answer = await http.GetAsync(new Uri($"http://127.0.0.1:{port}/readyz"));
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            await Task.Delay(50);
        }

        throw new TimeoutException("The server did not get ready.");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>One client: no WebSocket library, so that the load costs little beside the server.</summary>
    private sealed class LoadClient(int number) : IDisposable
    {
        private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        private readonly int[] seen = new int[Publishers];
        private readonly byte[] buffer = new byte[16 * 1024];
        private int[] watched = [];
        private int published;

        public int Number => number;

        public long Received { get; private set; }

        public volatile bool IsPublishing;

        public void Dispose() => socket.Dispose();

        public async Task ConnectAsync(int port)
        {
            await socket.ConnectAsync(IPAddress.Loopback, port);
            await socket.SendAsync(Encoding.ASCII.GetBytes(
                $"GET /pubsub HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-Status-Uid: load-{number}\r\n\r\n"));
            var answer = new StringBuilder();
            var one = new byte[1];
            while (!answer.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await socket.ReceiveAsync(one) == 1)
            {
                answer.Append((char)one[0]);
            }

            if (!answer.ToString().StartsWith("HTTP/1.1 101", StringComparison.Ordinal))
            {
                throw new InvalidOperationException($"Not let in: {answer}");
            }
        }

        public Task WatchAsync(int[] publishers)
        {
            watched = [.. publishers.Where(publisher => publisher < Publishers)];
            return SendAsync("{\"events\":{" + string.Join(',', publishers.Select(publisher => $"\"load-{publisher}\":9")) + "}}");
        }

        public Task PublishAsync() => SendAsync($$"""{"status":{{(published++ % 2) + 1}},"timestamp":{{published}}}""");

        /// <summary>Watches whose publisher has published something later than what came.</summary>
        public int Missing(LoadClient[] clients) => watched.Count(publisher => seen[publisher] != clients[publisher].published);

        public async Task ReadAsync(CancellationToken stop)
        {
            var filled = 0;
            try
            {
                while (await socket.ReceiveAsync(buffer.AsMemory(filled), stop) is var count and > 0)
                {
                    filled += count;
                    var used = 0;
                    while (TryFrame(buffer.AsSpan(used, filled - used), out var payload, out var length))
                    {
                        used += length;
                        if (Take(buffer.AsSpan(used - payload, payload)))
                        {
                            await PublishAsync();
                        }
                    }

                    buffer.AsSpan(used, filled - used).CopyTo(buffer);
                    filled -= used;
                }
            }
            catch (OperationCanceledException)
            {
                // The load is over.
            }
        }

        private static bool TryFrame(ReadOnlySpan<byte> bytes, out int payload, out int length)
        {
            payload = length = 0;
            if (bytes.Length < 4)
            {
                return false;
            }

            var header = bytes[1] < 126 ? 2 : 4;
            payload = header == 2 ? bytes[1] : BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
            length = header + payload;
            return bytes.Length >= length;
        }

        /// <returns>Whether it was this client's own status, and the next one is due.</returns>
        private bool Take(ReadOnlySpan<byte> json)
        {
            Received++;
            var stamp = json.IndexOf("\"timestamp\":"u8);
            if (stamp < 0
                || !Utf8Parser.TryParse(json[(json.IndexOf("load-"u8) + 5)..], out int who, out _)
                || !Utf8Parser.TryParse(json[(stamp + 12)..], out int count, out _)
                || who >= Publishers)
            {
                return false;
            }

            seen[who] = count;
            return who == number && IsPublishing;
        }

        private async Task SendAsync(string text)
        {
            var payload = Encoding.ASCII.GetBytes(text);
            var header = payload.Length < 126 ? 6 : 8;
            var frame = new byte[header + payload.Length]; // the mask is zero: allowed, and nothing to do
            frame[0] = 0x81;
            frame[1] = (byte)(0x80 | (header == 6 ? payload.Length : 126));
            if (header == 8)
            {
                BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), (ushort)payload.Length);
            }

            payload.CopyTo(frame, header);
            await socket.SendAsync(frame);
        }
    }
}
