using System.Buffers.Text;
using System.Net.WebSockets;
using System.Text;

namespace StatusDaemon.Chaos;

/// <summary>A client that comes back to whichever gateway takes it, as a softphone does, and watches the same lamps each time.</summary>
internal sealed class ChaosClient : IAsyncDisposable
{
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(2);

    private readonly Person self;
    private readonly Dictionary<string, Lamp> lamps;
    private readonly Installation installation;
    private readonly IReadOnlyList<Member> gateways;
    private readonly Action<string> violate;
    private readonly Func<TimeSpan> clock;
    private readonly CancellationTokenSource end = new();
    private readonly SemaphoreSlim sending = new(1);
    private readonly Task running;
    private volatile ClientWebSocket? socket;
    private volatile int place;

    /// <param name="gateways">Where it may go, in turn.</param>
    /// <param name="first">The one that it goes to first.</param>
    /// <param name="violate">Is told what must not be.</param>
    public ChaosClient(Person self, IEnumerable<Lamp> lamps, Installation installation, IReadOnlyList<Member> gateways, int first, Action<string> violate, Func<TimeSpan> clock)
    {
        this.self = self;
        this.installation = installation;
        this.gateways = gateways;
        place = first;
        this.lamps = lamps.ToDictionary(lamp => lamp.Publisher.UidText);
        this.violate = violate;
        this.clock = clock;
        running = RunAsync(end.Token);
    }

    /// <summary>Who it is.</summary>
    public Person Self => self;

    /// <summary>What it watches.</summary>
    public IReadOnlyCollection<Lamp> Lamps => lamps.Values;

    /// <summary>Times that it had to come back.</summary>
    public int Returns { get; private set; }

    /// <summary>Whether it has a connection, as far as it knows.</summary>
    public bool IsConnected => socket is not null;

    /// <summary>Where it is, or goes next.</summary>
    public Member Gateway => gateways[place % gateways.Count];

    /// <summary>Leaves for another gateway, as a client does that is restarted.</summary>
    public void MoveTo(Member gateway)
    {
        place = gateways.ToList().IndexOf(gateway) + gateways.Count - 1; // the next one in turn is this one
        socket?.Abort();
    }

    /// <summary>Says the next status, if there is a connection to say it to.</summary>
    public Task SayAsync() => socket is null ? Task.CompletedTask : SendAsync(Person.Json(self.Say()));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        await running;
        end.Dispose();
        sending.Dispose();
    }

    private async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
                patience.CancelAfter(ConnectPatience);
                using var made = await installation.ConnectAsync(Gateway, self, patience.Token);
                foreach (var lamp in lamps.Values)
                {
                    lamp.Reconnect();
                }

                socket = made;
                self.AwaySince = null;
                await SendAsync("{\"events\":{" + string.Join(',', lamps.Keys.Select(uid => $"\"{uid}\":9")) + "}}");
                await ReadAsync(made, stop);
            }
            catch (Exception e) when (e is WebSocketException or OperationCanceledException or HttpRequestException)
            {
                // The next gateway.
            }

            if (socket is not null)
            {
                socket = null;
                self.AwaySince = clock();
                Returns++;
            }

            place++;
            await Task.Delay(Random.Shared.Next(20, 300), CancellationToken.None);
        }
    }

    private async Task SendAsync(string json)
    {
        await sending.WaitAsync();
        try
        {
            if (socket is { } open)
            {
                await open.SendAsync(Encoding.UTF8.GetBytes(json), WebSocketMessageType.Text, endOfMessage: true, end.Token);
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Whoever reads finds out.
        }
        finally
        {
            sending.Release();
        }
    }

    private async Task ReadAsync(ClientWebSocket made, CancellationToken stop)
    {
        var buffer = new byte[64 * 1024];
        var filled = 0;
        while (await made.ReceiveAsync(buffer.AsMemory(filled), stop) is { MessageType: WebSocketMessageType.Text } part)
        {
            filled += part.Count;
            if (part.EndOfMessage)
            {
                Take(buffer.AsSpan(0, filled));
                filled = 0;
            }
        }
    }

    /// <summary>Takes <c>{"status":1,"publisher":"p17","timestamp":12}</c>.</summary>
    private void Take(ReadOnlySpan<byte> frame)
    {
        var name = frame.IndexOf("\"publisher\":\""u8) + 13;
        var stamp = frame.IndexOf("\"timestamp\":"u8);
        long number = 0;
        if (!frame.StartsWith("{\"status\":"u8)
            || !Utf8Parser.TryParse(frame[10..], out int status, out _)
            || name < 13
            || (stamp >= 0 && !Utf8Parser.TryParse(frame[(stamp + 12)..], out number, out _))
            || !lamps.TryGetValue(Encoding.UTF8.GetString(frame[name..(name + frame[name..].IndexOf((byte)'"'))]), out var lamp))
        {
            violate($"{self.Name} was sent {Encoding.UTF8.GetString(frame)}");
            return;
        }

        if (lamp.Take(status, number) is { } violation)
        {
            violate($"{self.Name} {violation}");
        }

        if (lamp.Publisher == self)
        {
            self.Accept(number);
        }
    }
}
