using System.Diagnostics;
using System.Net;
using System.Text;
using StatusDaemon.Protocol;
using StatusDaemon.Transport;

namespace StatusDaemon.Load;

/// <summary>A long stay of many connections that come, go, stall, say half of something or rubbish, and are replaced: does the server keep anything of them?</summary>
/// <remarks>Those who behave watch three others, read all, and publish now and then; what they get is checked elsewhere. Here the server's files, memory and quiet are.</remarks>
internal sealed class Soak : IDisposable
{
    private const int InFlight = 100;
    private const int ReadBytes = 64 * 1024;
    private const int Watches = 3;
    private const int SourceAddresses = 16;

    private static readonly TimeSpan LifeSign = TimeSpan.FromSeconds(25);

    private readonly IPEndPoint server;
    private readonly Random random = new(1);
    private readonly Epoll epoll = new(1024);
    private readonly Guest?[] guests;
    private readonly Queue<int> vacant = new();
    private readonly byte[] room = new byte[ReadBytes];
    private readonly byte[] rubbish = new byte[512];
    private uint generation;
    private int arriving;
    private int next;

    /// <param name="connections">How many are kept.</param>
    public Soak(IPEndPoint server, int connections)
    {
        this.server = server;
        guests = new Guest?[connections];
        foreach (var place in Enumerable.Range(0, connections))
        {
            vacant.Enqueue(place);
        }
    }

    private enum Manners
    {
        Behaves,
        NeverReads,
        SaysHalf,
        SaysNothing,
        SaysRubbish,
    }

    /// <summary>Connections that are up, whatever they say on them.</summary>
    public int Settled { get; private set; }

    /// <summary>Connections that have ended, one way or another.</summary>
    public int Ended { get; private set; }

    /// <summary>Connections that behaved and were ended by the server all the same.</summary>
    public int Wronged { get; private set; }

    /// <summary>Fills all places with those who behave.</summary>
    public void Fill()
    {
        while (Settled < guests.Length)
        {
            Invite(static _ => Manners.Behaves);
            Poll(50);
        }
    }

    /// <summary>Lets connections come and go for a while.</summary>
    /// <param name="changes">Connections that leave in a second; as many come.</param>
    public void Churn(TimeSpan time, double changes)
    {
        var start = Stopwatch.GetTimestamp();
        var spoken = 0.0;
        var left = 0.0;
        for (var at = TimeSpan.Zero; at < time; at = Stopwatch.GetElapsedTime(start))
        {
            for (; left < at.TotalSeconds * changes; left++)
            {
                SendAway();
            }

            for (; spoken < at.TotalSeconds * guests.Length / LifeSign.TotalSeconds; spoken++)
            {
                Speak();
            }

            Invite(MannersOf);
            Poll(10);
        }
    }

    /// <summary>Lets nobody come or go, and only answers.</summary>
    public void Rest(TimeSpan time)
    {
        var start = Stopwatch.GetTimestamp();
        for (var left = time; left > TimeSpan.Zero; left = time - Stopwatch.GetElapsedTime(start))
        {
            Poll((int)left.TotalMilliseconds + 1);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var guest in guests.OfType<Guest>())
        {
            NativeClient.Reset(guest.Socket);
        }

        epoll.Dispose();
    }

    // One in five misbehaves.
    private static Manners MannersOf(int lot) => lot < 5 ? Manners.NeverReads : lot < 10 ? Manners.SaysHalf : lot < 15 ? Manners.SaysNothing : lot < 20 ? Manners.SaysRubbish : Manners.Behaves;

    private void Invite(Func<int, Manners> manners)
    {
        while (arriving < InFlight && vacant.TryDequeue(out var place))
        {
            var from = new IPAddress([127, 0, 0, (byte)(2 + (place % SourceAddresses))]);
            var socket = NativeClient.Connect(server, from);
            if (socket < 0)
            {
                throw new LoadException($"no more connections can be made: {System.Runtime.InteropServices.Marshal.GetLastPInvokeErrorMessage()}");
            }

            guests[place] = new Guest(place, socket, manners(random.Next(100)), ++generation);
            arriving++;
            epoll.Watch(socket, Readiness.Readable | Readiness.Writable | Readiness.PeerEnded | Readiness.OnChange, ((ulong)generation << 32) | (uint)place);
        }
    }

    /// <summary>Ends somebody's connection: politely, with half a frame, or without a word.</summary>
    private void SendAway()
    {
        if (guests[random.Next(guests.Length)] is not { IsSettled: true } guest)
        {
            return;
        }

        switch (random.Next(3))
        {
            case 0:
                Send(guest, Frame(0x8, [3, 232]));
                guest.IsLeaving = true; // the server ends it
                break;
            case 1:
                Send(guest, Frame(0x1, "{\"status\":1}"u8).AsSpan(0, 5));
                End(guest);
                break;
            default:
                End(guest);
                break;
        }
    }

    /// <summary>Lets the next one in turn give a sign of life; now and then it is a status.</summary>
    private void Speak()
    {
        next = (next + 1) % guests.Length;
        if (guests[next] is { Manners: Manners.Behaves, IsSettled: true, IsLeaving: false } guest)
        {
            Send(guest, random.Next(4) == 0 ? Frame(0x1, Encoding.ASCII.GetBytes($"{{\"status\":{random.Next(1, 9)}}}")) : Frame(0xA, []));
        }
    }

    private void Poll(int milliseconds)
    {
        var count = epoll.Wait(milliseconds);
        for (var i = 0; i < count; i++)
        {
            var (what, data) = epoll.At(i);
            if (guests[(int)(uint)data] is { } guest && guest.Generation == (uint)(data >> 32))
            {
                Serve(guest, what);
            }
        }
    }

    private void Serve(Guest guest, Readiness what)
    {
        if ((what & Readiness.Broken) != 0 || ((what & Readiness.PeerEnded) != 0 && guest.Manners == Manners.NeverReads))
        {
            Gone(guest);
            return;
        }

        if (!guest.IsConnected)
        {
            guest.IsConnected = true;
            Begin(guest);
        }

        if ((what & Readiness.Readable) != 0 && !(guest.Manners == Manners.NeverReads && guest.IsSettled))
        {
            Read(guest, toItsEnd: (what & Readiness.PeerEnded) != 0);
        }
    }

    private void Begin(Guest guest)
    {
        switch (guest.Manners)
        {
            case Manners.SaysNothing:
                Settle(guest);
                break;
            case Manners.SaysHalf:
                Send(guest, "GET /pubsub HTTP/1.1\r\nHost: soak\r\nUpgr"u8);
                Settle(guest);
                break;
            default:
                Send(guest, Encoding.ASCII.GetBytes(
                    $"GET /pubsub HTTP/1.1\r\nHost: soak\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: {HandshakeKey.Version}\r\n"
                    + $"Sec-WebSocket-Key: {Crowd.Key}\r\nX-Status-Uid: soak-{guest.Place}\r\n\r\n"));
                break;
        }
    }

    /// <param name="toItsEnd">The end lies behind what came, and is not reported again.</param>
    private void Read(Guest guest, bool toItsEnd)
    {
        while (true)
        {
            var received = NativeSocket.Receive(guest.Socket, room);
            if (received == (int)NativeSocket.Failure.Later)
            {
                return;
            }

            if (received <= 0)
            {
                Gone(guest);
                return;
            }

            if (!guest.IsSettled)
            {
                Join(guest, room.AsSpan(0, received));
            }
            else if (received >= 2 && room[received - 2] == 0x89 && guest.Manners == Manners.Behaves)
            {
                Send(guest, Frame(0xA, [])); // a ping: the last frame of what came
            }

            if (received < room.Length && !toItsEnd)
            {
                return;
            }
        }
    }

    private void Join(Guest guest, ReadOnlySpan<byte> answer)
    {
        if (!answer.StartsWith("HTTP/1.1 101"u8))
        {
            throw new LoadException($"somebody was not let in: {Encoding.ASCII.GetString(answer[..Math.Min(answer.Length, 100)])}");
        }

        Settle(guest);
        if (guest.Manners == Manners.SaysRubbish)
        {
            random.NextBytes(rubbish);
            Send(guest, rubbish);
            return;
        }

        var events = Enumerable.Range(0, Watches).Select(_ => $"\"soak-{random.Next(guests.Length)}\":9").Distinct();
        Send(guest, Frame(0x1, Encoding.ASCII.GetBytes($"{{\"status\":2,\"events\":{{{string.Join(',', events)}}}}}")));
    }

    private void Settle(Guest guest)
    {
        guest.IsSettled = true;
        arriving--;
        Settled++;
    }

    private void Gone(Guest guest)
    {
        Wronged += guest is { Manners: Manners.Behaves, IsLeaving: false } ? 1 : 0;
        End(guest);
    }

    private void End(Guest guest)
    {
        if (guest.IsSettled)
        {
            Settled--;
        }
        else
        {
            arriving--;
        }

        Ended++;
        guests[guest.Place] = null;
        vacant.Enqueue(guest.Place);
        NativeClient.Reset(guest.Socket);
    }

    private static void Send(Guest guest, ReadOnlySpan<byte> bytes) => _ = NativeSocket.Send(guest.Socket, bytes);

    private static byte[] Frame(byte opcode, ReadOnlySpan<byte> payload) => [(byte)(0x80 | opcode), (byte)(0x80 | payload.Length), 0, 0, 0, 0, .. payload];

    private sealed record Guest(int Place, int Socket, Manners Manners, uint Generation)
    {
        public bool IsConnected { get; set; }

        public bool IsSettled { get; set; }

        public bool IsLeaving { get; set; }
    }
}
