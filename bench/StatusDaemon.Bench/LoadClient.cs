using System.Buffers.Binary;
using System.Buffers.Text;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using StatusDaemon.Statuses;

namespace StatusDaemon.Bench;

/// <summary>One client of a load: no WebSocket library, so that it costs little beside the server.</summary>
/// <remarks>It logs in as <c>load-NUMBER</c> in trusted-header mode; the timestamp of a publication counts the publications of its publisher.</remarks>
/// <param name="publishers">The clients with lower numbers publish.</param>
internal sealed class LoadClient(int number, int publishers) : IDisposable
{
    private const byte Text = 0x81;
    private const byte Ping = 0x89;
    private const byte Pong = 0x8A;

    // A small buffer, so that what it says grows old with nobody but the server.
    private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, SendBufferSize = 16 * 1024 };
    private readonly int[] seen = new int[publishers];
    private readonly byte[] buffer = new byte[16 * 1024];
    private int[] watched = [];
    private int published;
    private long publishedAt;

    /// <summary>Its number.</summary>
    public int Number => number;

    /// <summary>Statuses that came.</summary>
    public long Received { get; private set; }

    /// <summary>Of these, those that say that a publisher is gone; none of them is.</summary>
    public long Gone { get; private set; }

    /// <summary>How long its own publications were on the way, where it publishes when the one before has come.</summary>
    public List<TimeSpan> Delays { get; } = [];

    /// <summary>How long it waits before it publishes again, when its own status has come; null if it does not.</summary>
    public TimeSpan? Pause { get; set; }

    /// <inheritdoc/>
    public void Dispose() => socket.Dispose();

    /// <summary>Logs in.</summary>
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

    /// <summary>Watches others, and perhaps itself.</summary>
    public Task WatchAsync(IReadOnlyCollection<int> numbers)
    {
        watched = [.. numbers.Where(publisher => publisher < publishers)];
        return SendAsync(Text, "{\"events\":{" + string.Join(',', numbers.Select(watchedNumber => $"\"load-{watchedNumber}\":9")) + "}}");
    }

    /// <summary>Publishes the next status.</summary>
    public Task PublishAsync()
    {
        publishedAt = Stopwatch.GetTimestamp();
        return SendAsync(Text, $$"""{"status":{{(published++ % 2) + 1}},"timestamp":{{published}}}""");
    }

    /// <summary>Publishes one status after the other and waits for nothing but its socket.</summary>
    public async Task FloodAsync(CancellationToken stop)
    {
        const int BeforeOthersMay = 64;
        while (!stop.IsCancellationRequested)
        {
            for (var burst = 0; burst < BeforeOthersMay; burst++)
            {
                await PublishAsync();
            }

            await Task.Yield();
        }
    }

    /// <summary>Watches whose publisher has published something later than what came.</summary>
    public int Missing(IReadOnlyList<LoadClient> clients) => watched.Count(publisher => seen[publisher] != clients[publisher].published);

    /// <summary>Reads what comes.</summary>
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
                    var opcode = buffer[used];
                    used += length;
                    if (opcode == Ping)
                    {
                        await SendAsync(Pong, "");
                    }
                    else if (Take(buffer.AsSpan(used - payload, payload)) && Pause is { } pause)
                    {
                        Delays.Add(Stopwatch.GetElapsedTime(publishedAt));
                        _ = PublishLaterAsync(pause, stop);
                    }
                }

                buffer.AsSpan(used, filled - used).CopyTo(buffer);
                filled -= used;
            }

            throw new IOException($"The server closed load-{number}.");
        }
        catch (OperationCanceledException)
        {
            // The load is over.
        }
    }

    private static bool TryFrame(ReadOnlySpan<byte> bytes, out int payload, out int length)
    {
        payload = length = 0;
        if (bytes.Length < 2 || (bytes[1] >= 126 && bytes.Length < 4))
        {
            return false;
        }

        var header = bytes[1] < 126 ? 2 : 4;
        payload = header == 2 ? bytes[1] : BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        length = header + payload;
        return bytes.Length >= length;
    }

    private async Task PublishLaterAsync(TimeSpan pause, CancellationToken stop)
    {
        if (pause > TimeSpan.Zero)
        {
            await Task.Delay(pause, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (!stop.IsCancellationRequested)
        {
            await PublishAsync();
        }
    }

    /// <returns>Whether it was this client's own last status.</returns>
    private bool Take(ReadOnlySpan<byte> json)
    {
        Received++;
        var stamp = json.IndexOf("\"timestamp\":"u8);
        var status = json.IndexOf("\"status\":"u8);
        if (stamp < 0
            || status < 0
            || !Utf8Parser.TryParse(json[(json.IndexOf("load-"u8) + 5)..], out int who, out _)
            || !Utf8Parser.TryParse(json[(stamp + 12)..], out int count, out _))
        {
            return false;
        }

        if (json[status + 9] == (byte)('0' + (int)Status.NotRegistered))
        {
            Gone++;
        }

        if (who < publishers)
        {
            seen[who] = count;
        }

        return who == number && count == published;
    }

    private async Task SendAsync(byte opcode, string text)
    {
        var payload = Encoding.ASCII.GetBytes(text);
        var header = payload.Length < 126 ? 6 : 8;
        var frame = new byte[header + payload.Length]; // the mask is zero: allowed, and nothing to do
        frame[0] = opcode;
        frame[1] = (byte)(0x80 | (header == 6 ? payload.Length : 126));
        if (header == 8)
        {
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), (ushort)payload.Length);
        }

        payload.CopyTo(frame, header);
        await socket.SendAsync(frame);
    }
}
