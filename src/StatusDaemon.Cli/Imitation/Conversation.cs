using System.Buffers;
using System.Net.WebSockets;
using System.Text.Json;
using StatusDaemon.Language;
using StatusDaemon.Protocol;
using StatusDaemon.Statuses;

namespace StatusDaemon.Imitation;

/// <summary>One open connection: subscribes, publishes in turn, hands on what comes, says goodbye.</summary>
/// <param name="take">Takes a message; false ends the conversation.</param>
/// <param name="published">Told of each status that was sent.</param>
internal sealed class Conversation(WebSocket socket, StatusPlan plan, TimeSpan sleep, TimeProvider clock, Func<ServerMessage, bool> take, Action<Status> published)
{
    // A UID has at most 128 bytes, so a message stays below the server's default limit of 256 KiB.
    private const int UidsPerMessage = 1_000;

    private const int Subscribe = 9;

    // To answer a close, and for a send that the server does not take.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Talks until the server closes, the connection breaks, enough was taken, or <paramref name="stop"/>; the last two close with 1000.</summary>
    public async Task<Ending> RunAsync(IEnumerable<string> uids, CancellationToken stop)
    {
        Task<Ending>? receiving = null;
        try
        {
            using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
            await SubscribeAsync(uids);
            receiving = ReceiveAsync();
            var publishing = PublishAsync(over.Token);
            await Task.WhenAny(receiving, publishing);
            await over.CancelAsync();
            await publishing.WaitAsync(Patience, clock, CancellationToken.None);
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None).WaitAsync(Patience, clock, CancellationToken.None);
            }

            return await receiving.WaitAsync(Patience, clock, CancellationToken.None);
        }
        catch (Exception e) when (e is WebSocketException or TimeoutException)
        {
            // What came before says more than what broke after it.
            socket.Abort();
            return receiving is { IsCompletedSuccessfully: true } ? await receiving
                : stop.IsCancellationRequested ? new Ending.Done()
                : ServerVerdict.Of(code: null, reason: null);
        }
    }

    private async Task SubscribeAsync(IEnumerable<string> uids)
    {
        foreach (var chunk in uids.Chunk(UidsPerMessage))
        {
            var subscription = new Subscription(chunk.ToDictionary(uid => uid, _ => Subscribe));
            await SendAsync(JsonSerializer.SerializeToUtf8Bytes(subscription, WireJson.Default.Subscription));
        }
    }

    /// <summary>Ends normally when <paramref name="over"/> says so; only a broken connection ends it otherwise.</summary>
    private async Task PublishAsync(CancellationToken over)
    {
        // A new connection says again what the last one said: docs/protocol.md §13.
        if (plan.Current is { } current)
        {
            await PublishAsync(current);
        }

        while (!over.IsCancellationRequested)
        {
            // A wait that was cut short is not an error: it is how this ends.
            // Without a wait neither this nor a send that finds room gives the thread away, so the options do.
            await Task.Delay(plan.IsEmpty ? Timeout.InfiniteTimeSpan : sleep, clock, over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
            if (!over.IsCancellationRequested)
            {
                await PublishAsync(plan.Next());
            }
        }
    }

    private async Task PublishAsync(Status status)
    {
        await SendAsync(JsonSerializer.SerializeToUtf8Bytes(new Publication((int)status, UnixTimestamp.Of(clock.GetUtcNow())), WireJson.Default.Publication));
        published(status);
    }

    // A token here would break the connection instead of ending the wait.
    private Task SendAsync(byte[] message) => socket.SendAsync(message.AsMemory(), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None).AsTask();

    private async Task<Ending> ReceiveAsync()
    {
        var message = new ArrayBufferWriter<byte>();
        while (true)
        {
            var part = await socket.ReceiveAsync(message.GetMemory(4096), CancellationToken.None);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                var code = socket.CloseStatus is null or WebSocketCloseStatus.Empty ? null : (CloseCode?)socket.CloseStatus;
                return ServerVerdict.Of(code, socket.CloseStatusDescription);
            }

            message.Advance(part.Count);
            if (!part.EndOfMessage)
            {
                continue;
            }

            if (!take(Read(message.WrittenSpan)))
            {
                return new Ending.Done();
            }

            message.ResetWrittenCount();
        }
    }

    private static ServerMessage Read(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, WireJson.Default.ServerMessage) ?? Unreadable(null);
        }
        catch (JsonException e)
        {
            return Unreadable(e.Message);
        }

        static ServerMessage Unreadable(string? why) => new(Status: null, Publisher: null, Timestamp: null, Text.ServerUnreadable, why);
    }
}
