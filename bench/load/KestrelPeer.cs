using System.Buffers;
using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace StatusDaemon.Load;

/// <summary>What a status server is on stock Kestrel: a WebSocket, a bounded channel and a sending task each, and one dictionary of watchers.</summary>
/// <remarks>No login, no rules, no store, no current status for new watchers: it shows what the WebSockets of the framework cost, and no more.</remarks>
internal sealed class KestrelPeer
{
    private const int WaitingFrames = 256;
    private const int MaxMessageBytes = 16 * 1024;

    private readonly ConcurrentDictionary<string, ConcurrentDictionary<ChannelWriter<byte[]>, bool>> watchers = new();

    /// <summary>Serves until the process is ended.</summary>
    public static async Task<int> RunAsync(int port)
    {
        var peer = new KestrelPeer();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        var app = builder.Build();
        app.UseWebSockets();
        app.Map("/pubsub", async context =>
        {
            if (!context.WebSockets.IsWebSocketRequest || context.Request.Headers["X-Status-Uid"] is not [{ } uid])
            {
                context.Response.StatusCode = StatusCodes.Status400BadRequest;
                return;
            }

            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await peer.ServeAsync(socket, uid, context.RequestAborted);
        });
        await app.RunAsync();
        return 0;
    }

    private async Task ServeAsync(WebSocket socket, string own, CancellationToken stop)
    {
        // Who reads too slowly misses what is oldest.
        var outbox = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(WaitingFrames) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });
        var watched = new List<string>();
        var sending = SendAsync(socket, outbox.Reader, stop);
        try
        {
            // Waiting for nothing takes no buffer: an idle connection has none.
            while (await socket.ReceiveAsync(Memory<byte>.Empty, stop) is { MessageType: WebSocketMessageType.Text })
            {
                var room = ArrayPool<byte>.Shared.Rent(MaxMessageBytes);
                try
                {
                    var message = await socket.ReceiveAsync(room.AsMemory(), stop);
                    Take(room.AsMemory(0, message.Count), own, outbox.Writer, watched);
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(room);
                }
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or JsonException)
        {
            // The client is gone, or is none of ours.
        }
        finally
        {
            foreach (var publisher in watched)
            {
                watchers[publisher].TryRemove(outbox.Writer, out _);
            }

            outbox.Writer.Complete();
            await sending;
        }
    }

    private void Take(ReadOnlyMemory<byte> json, string own, ChannelWriter<byte[]> outbox, List<string> watched)
    {
        using var message = JsonDocument.Parse(json);
        if (message.RootElement.TryGetProperty("events", out var events))
        {
            foreach (var wish in events.EnumerateObject())
            {
                watchers.GetOrAdd(wish.Name, static _ => new()).TryAdd(outbox, true);
                watched.Add(wish.Name);
            }
        }

        if (message.RootElement.TryGetProperty("status", out var status) && watchers.TryGetValue(own, out var told))
        {
            var timestamp = message.RootElement.GetProperty("timestamp").GetString();
            var notification = Encoding.UTF8.GetBytes($"{{\"status\":{status.GetInt32()},\"publisher\":\"{own}\",\"timestamp\":\"{timestamp}\"}}");
            foreach (var (watcher, _) in told)
            {
                watcher.TryWrite(notification);
            }
        }
    }

    private static async Task SendAsync(WebSocket socket, ChannelReader<byte[]> outbox, CancellationToken stop)
    {
        try
        {
            await foreach (var frame in outbox.ReadAllAsync(stop))
            {
                await socket.SendAsync(frame.AsMemory(), WebSocketMessageType.Text, endOfMessage: true, stop);
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            // The reader sees it too, and ends.
        }
    }
}
