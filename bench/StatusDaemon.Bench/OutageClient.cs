using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.WebSockets;
using System.Text;

namespace StatusDaemon.Bench;

/// <summary>A client of <see cref="RedisOutageBench"/>: holds all that it is told against the laws.</summary>
internal sealed class OutageClient : IDisposable
{
    private readonly ClientWebSocket socket = new();
    private readonly int person;
    private readonly Dictionary<int, OutageWatch> watches;
    private readonly long start;
    private readonly ConcurrentQueue<string> violations;
    private readonly TaskCompletionSource told = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task reading = Task.CompletedTask;
    private volatile bool mayEnd;

    private OutageClient(int person, IEnumerable<OutageWatch> watches, long start, ConcurrentQueue<string> violations)
    {
        this.person = person;
        this.watches = watches.ToDictionary(watch => watch.Person);
        this.start = start;
        this.violations = violations;
    }

    /// <summary>What it watches.</summary>
    public IReadOnlyCollection<OutageWatch> Watches => watches.Values;

    /// <summary>The watch of itself, which shows what was accepted.</summary>
    public OutageWatch Own => watches[person];

    /// <summary>Ends when it was told something of everybody whom it watches.</summary>
    public Task Told => told.Task;

    /// <summary>Logs in, and watches.</summary>
    /// <param name="start">What times count from.</param>
    public static async Task<OutageClient> ConnectAsync(BenchFolder folder, int person, IEnumerable<OutageWatch> watches, long start, ConcurrentQueue<string> violations)
    {
        var client = new OutageClient(person, watches, start, violations);
        await folder.ConnectAsync(client.socket, PrivilegeRedis.NameOf(person));
        await client.SendAsync("{\"events\":{" + string.Join(',', client.watches.Keys.Select(watched => $"\"{PrivilegeRedis.UidOf(watched)}\":9")) + "}}");
        client.reading = client.ReadAsync();
        return client;
    }

    /// <summary>Publishes the status of a time.</summary>
    public Task PublishAsync(long at) => SendAsync(RedisOutageBench.Json(at));

    /// <summary>From here on the connection may end.</summary>
    public void LetGo() => mayEnd = true;

    /// <summary>Ends the connection.</summary>
    public async Task EndAsync()
    {
        mayEnd = true;
        socket.Abort();
        await reading;
    }

    /// <inheritdoc/>
    public void Dispose() => socket.Dispose();

    private Task SendAsync(string json) => socket.SendAsync(Encoding.UTF8.GetBytes(json), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);

    private async Task ReadAsync()
    {
        var buffer = new byte[4096];
        var untold = watches.Count;
        try
        {
            var filled = 0;
            while (await socket.ReceiveAsync(buffer.AsMemory(filled), CancellationToken.None) is { MessageType: WebSocketMessageType.Text } part)
            {
                filled += part.Count;
                if (!part.EndOfMessage)
                {
                    continue;
                }

                var now = Stopwatch.GetElapsedTime(start).Ticks;
                var frame = buffer.AsMemory(0, filled);
                filled = 0;
                if (!TryParse(frame.Span, out var publisher, out var status, out var at) || !watches.TryGetValue(publisher, out var watch))
                {
                    violations.Enqueue($"{person} was sent {Encoding.UTF8.GetString(frame.Span)}");
                    continue;
                }

                untold -= watch.IsTold ? 0 : 1;
                if (watch.Take(status, at, now) is { } violation)
                {
                    violations.Enqueue($"{person} {violation}");
                }

                if (untold == 0)
                {
                    told.TrySetResult();
                }
            }

            NoteEnd($"closed with {socket.CloseStatus} {socket.CloseStatusDescription}");
        }
        catch (WebSocketException e)
        {
            NoteEnd(e.Message);
        }
        catch (OperationCanceledException)
        {
            NoteEnd("aborted");
        }
    }

    private void NoteEnd(string how)
    {
        if (!mayEnd)
        {
            violations.Enqueue(string.Create(CultureInfo.InvariantCulture, $"the connection of {person} ended at {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s: {how}"));
        }
    }

    /// <summary>Reads <c>{"status":1,"publisher":"6f000000-0000-4000-8000-000000000012","timestamp":17}</c>.</summary>
    private static bool TryParse(ReadOnlySpan<byte> frame, out int publisher, out int status, out long at)
    {
        (publisher, status, at) = (0, 0, 0);
        var stamp = frame.IndexOf("\"timestamp\":"u8);
        return frame.StartsWith("{\"status\":"u8)
            && Utf8Parser.TryParse(frame[10..], out status, out _)
            && frame.IndexOf("\"publisher\":\""u8) is > 0 and var name
            && Utf8Parser.TryParse(frame[(name + 13 + 24)..], out publisher, out _)
            && (stamp < 0 || Utf8Parser.TryParse(frame[(stamp + 12)..], out at, out _));
    }
}
