using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using StatusDaemon.Protocol;
using StatusDaemon.Transport;

namespace StatusDaemon.Load;

/// <summary>Many connections on one thread: no task and no timer each, so that a load costs little beside the server that it loads.</summary>
internal sealed class Crowd : IDisposable
{
    /// <summary>The key of every upgrade. That it is always the same harms nobody: it only proves that a WebSocket server answered.</summary>
    public const string Key = "dGhlIHNhbXBsZSBub25jZQ==";

    private const int InFlight = 100;
    private const int ReadBytes = 256 * 1024;
    private const int MaxMessageBytes = 1024 * 1024;
    private const int SourceAddresses = 16;
    private const ulong TimerEvent = ulong.MaxValue;

    private static readonly byte[] Accepted = Encoding.ASCII.GetBytes(HandshakeKey.AcceptOf(Key));

    private readonly CrowdOrder order;
    private readonly IPEndPoint server;
    private readonly Dialect dialect;
    private readonly Line[] lines;
    private readonly Epoll epoll = new(1024);
    private readonly int timer = NativeClient.CreateTimer();
    private readonly byte[] room = GC.AllocateUninitializedArray<byte>(ReadBytes + MaxMessageBytes, pinned: true);
    private readonly long epoch = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000;
    private readonly long started = Stopwatch.GetTimestamp();
    private int begun;
    private long receivedAt;

    /// <summary>Connects nobody yet.</summary>
    public Crowd(CrowdOrder order, Community community)
    {
        this.order = order;
        Community = community;
        server = new IPEndPoint(IPAddress.Parse(order.Host), order.Port);
        dialect = Dialect.Of(order.Dialect, community);
        lines = [.. Enumerable.Range(0, community.Count).Select(number => new Line(number))];
        Ledger = new Ledger(community, Now);
        epoll.Watch(timer, Readiness.Readable | Readiness.OnChange, TimerEvent);
    }

    /// <summary>Who is who.</summary>
    public Community Community { get; }

    /// <summary>Checks what comes.</summary>
    public Ledger Ledger { get; }

    /// <summary>Unix time in microseconds; it never goes back.</summary>
    public long Now => epoch + (long)Stopwatch.GetElapsedTime(started).TotalMicroseconds;

    /// <summary>Connections that are up, with their watches.</summary>
    public int Ready { get; private set; }

    /// <summary>Connections that never came up, or broke.</summary>
    public int Failed { get; private set; }

    /// <summary>What the first of them died of.</summary>
    public string? Problem { get; private set; }

    /// <summary>Counts what comes in the measured time.</summary>
    public Measurement Measured { get; } = new();

    /// <summary>Called for each status that is new to its watcher: publisher and time.</summary>
    public Action<int, long>? Delivered { get; set; }

    /// <summary>Connects until so many are up or have failed, some at once.</summary>
    public void ConnectTo(int count, TimeSpan patience)
    {
        var start = Stopwatch.GetTimestamp();
        while (Ready + Failed < count)
        {
            while (begun < count && begun - Ready - Failed < InFlight)
            {
                Connect(lines[begun++]);
            }

            Poll(50);
            if (Stopwatch.GetElapsedTime(start) > patience)
            {
                foreach (var line in lines.Take(begun).Where(line => line.State is not (LineState.Ready or LineState.Lost)))
                {
                    Lose(line, $"not up after {patience.TotalSeconds:F0} s");
                }

                return;
            }
        }
    }

    /// <summary>Publishes under a time.</summary>
    public void Publish(int person, long time)
    {
        if (lines[person].State == LineState.Ready)
        {
            Ledger.Publish(person, time);
            Measured.Publish(time, Community.WatchersOf(person));
            dialect.Publish(this, lines[person], time);
        }
    }

    /// <summary>Whether a connection is up.</summary>
    public bool IsUp(int person) => lines[person].State == LineState.Ready;

    /// <summary>Serves what is there.</summary>
    /// <param name="milliseconds">Waits so long for something; 0 only looks.</param>
    public void Poll(int milliseconds)
    {
        var count = epoll.Wait(milliseconds);
        for (var i = 0; i < count; i++)
        {
            var (what, data) = epoll.At(i);
            if (data != TimerEvent && lines[(int)data] is { State: not LineState.Lost } line)
            {
                Serve(line, what);
            }
        }
    }

    /// <summary>Serves what is there until a time.</summary>
    public void PollUntil(long time)
    {
        for (var left = time - Now; left > 0; left = time - Now)
        {
            NativeClient.SetTimer(timer, left);
            Poll(1000);
        }
    }

    /// <summary>Notes a delivery.</summary>
    public void Deliver(Line line, ReadOnlySpan<byte> uid, int status, long time)
    {
        var publisher = Community.NumberOf(uid);
        if (Ledger.Take(line.Number, publisher, status, time) == Ledger.Verdict.New)
        {
            Measured.Deliver(time, receivedAt);
            Delivered?.Invoke(publisher, time);
        }
    }

    /// <summary>Notes a message that is nothing that a server should say.</summary>
    public void Refuse(ReadOnlySpan<byte> message) => Ledger.Refuse($"not understood: {Encoding.UTF8.GetString(message[..Math.Min(message.Length, 200)])}");

    /// <summary>Notes an answer that a connection waits for.</summary>
    public void TakeAnswer(Line line)
    {
        if (line.State == LineState.Joining && --line.AnswersToCome == 0)
        {
            line.State = LineState.Ready;
            Ready++;
        }
    }

    /// <summary>Sends, now or when the kernel takes it.</summary>
    public void Send(Line line, ReadOnlySpan<byte> bytes)
    {
        if (line.State == LineState.Lost)
        {
            return;
        }

        if (line.Unsent.Length == 0)
        {
            var sent = NativeSocket.Send(line.Socket, bytes);
            if (sent == (int)NativeSocket.Failure.Gone)
            {
                Lose(line, "the server closed the connection");
                return;
            }

            bytes = bytes[Math.Max(0, sent)..];
            if (bytes.IsEmpty)
            {
                return;
            }
        }

        line.Unsent = [.. line.Unsent, .. bytes];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var line in lines.Where(line => line.Socket >= 0))
        {
            NativeClient.Reset(line.Socket);
        }

        NativeSocket.Close(timer);
        epoll.Dispose();
    }

    private void Connect(Line line)
    {
        // Each address of loopback has ports of its own; a server elsewhere sees one address.
        var from = IPAddress.IsLoopback(server.Address) ? new IPAddress([127, 0, 0, (byte)(2 + (line.Number % SourceAddresses))]) : null;
        line.State = LineState.Connecting;
        line.Socket = NativeClient.Connect(server, from);
        if (line.Socket < 0)
        {
            Lose(line, Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError()));
            return;
        }

        epoll.Watch(line.Socket, Readiness.Readable | Readiness.Writable | Readiness.PeerEnded | Readiness.OnChange, (uint)line.Number);
    }

    private void Lose(Line line, string problem)
    {
        if (line.State == LineState.Ready)
        {
            Ready--;
        }

        line.State = LineState.Lost;
        Failed++;
        Problem ??= $"connection {line.Number}: {problem}";
        if (line.Socket >= 0)
        {
            NativeClient.Reset(line.Socket);
            line.Socket = -1;
        }
    }

    private void Serve(Line line, Readiness what)
    {
        if (line.State == LineState.Connecting)
        {
            if ((what & Readiness.Broken) != 0)
            {
                Lose(line, "could not connect");
                return;
            }

            line.State = LineState.Upgrading;
            Send(line, dialect.Upgrade(order, line.Number));
        }
        else if ((what & Readiness.Writable) != 0 && line.Unsent.Length > 0)
        {
            var unsent = line.Unsent;
            line.Unsent = [];
            Send(line, unsent);
        }

        if ((what & (Readiness.Readable | Readiness.PeerEnded | Readiness.Broken)) != 0 && line.State != LineState.Lost)
        {
            Read(line, toItsEnd: (what & Readiness.PeerEnded) != 0);
        }
    }

    /// <param name="toItsEnd">The end lies behind what came, and is not reported again.</param>
    private void Read(Line line, bool toItsEnd)
    {
        while (true)
        {
            var kept = line.Rest.Length;
            line.Rest.CopyTo(room, 0);
            var received = NativeSocket.Receive(line.Socket, room.AsSpan(kept, ReadBytes));
            if (received == (int)NativeSocket.Failure.Later)
            {
                return;
            }

            if (received <= 0)
            {
                Lose(line, received == 0 ? "the server ended the connection" : "the server reset the connection");
                return;
            }

            receivedAt = Now;
            var all = room.AsSpan(0, kept + received);
            var used = Take(line, all);
            if (line.State == LineState.Lost)
            {
                return;
            }

            line.Rest = used == all.Length ? [] : all[used..].ToArray();
            if (received < ReadBytes && !toItsEnd)
            {
                return; // events come on changes, and this was all there is
            }
        }
    }

    private int Take(Line line, ReadOnlySpan<byte> bytes)
    {
        var used = 0;
        if (line.State == LineState.Upgrading)
        {
            used = TakeUpgrade(line, bytes);
            if (used == 0)
            {
                return 0;
            }
        }

        while (line.State != LineState.Lost && TakeFrame(line, bytes[used..]) is > 0 and var frame)
        {
            used += frame;
        }

        return used;
    }

    private int TakeUpgrade(Line line, ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return 0;
        }

        if (!bytes.StartsWith("HTTP/1.1 101"u8) || bytes[..end].IndexOf(Accepted) < 0)
        {
            Lose(line, $"no WebSocket: {Encoding.ASCII.GetString(bytes[..Math.Min(bytes.IndexOf((byte)'\r'), 100)])}");
            return 0;
        }

        line.State = LineState.Joining;
        dialect.Join(this, line);
        return end + 4;
    }

    /// <summary>Takes the frame that the bytes begin with.</summary>
    /// <returns>Its bytes; 0 if it is not whole.</returns>
    private int TakeFrame(Line line, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 2)
        {
            return 0;
        }

        var header = (bytes[1] & 0x7F) switch { 126 => 4, 127 => 10, _ => 2 };
        if (bytes.Length < header)
        {
            return 0;
        }

        var length = header switch
        {
            4 => BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]),
            10 => (long)Math.Min(BinaryPrimitives.ReadUInt64BigEndian(bytes[2..]), long.MaxValue),
            _ => bytes[1] & 0x7F,
        };
        if (length > MaxMessageBytes - header || (bytes[1] & 0x80) != 0)
        {
            Lose(line, "a frame that is masked or too long");
            return 0;
        }

        if (bytes.Length - header < length)
        {
            return 0;
        }

        TakePayload(line, bytes[0], bytes.Slice(header, (int)length));
        return header + (int)length;
    }

    private void TakePayload(Line line, byte start, ReadOnlySpan<byte> payload)
    {
        switch (start & 0xF)
        {
            case 0x8:
                Lose(line, payload.Length < 2 ? "closed" : $"closed with {BinaryPrimitives.ReadUInt16BigEndian(payload)} {Encoding.UTF8.GetString(payload[2..])}");
                break;
            case 0x9:
                dialect.SendPong(this, line, payload);
                break;
            case 0xA:
                dialect.TakePong(this, line);
                break;
            default:
                if (line.Begun.Length > 0)
                {
                    payload = (byte[])[.. line.Begun, .. payload];
                }

                var used = (start & 0x80) == 0 ? 0 : dialect.Take(this, line, payload);
                line.Begun = used == payload.Length ? [] : payload[used..].ToArray();
                break;
        }
    }
}
