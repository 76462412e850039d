using System.Globalization;
using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;
using StatusDaemon.Auth;
using StatusDaemon.Daemon;
using StatusDaemon.Directories;
using StatusDaemon.Protocol;

namespace StatusDaemon.Gateway;

/// <summary>The endpoint <c>/pubsub</c>: logs a client in, takes its WebSocket over from Kestrel, and reads it to its end.</summary>
internal sealed partial class PubSub(
    Admission admission, GatewayLoop loop, ISubscriberDirectory directory, ConnectionCounts counts, Limits limits, SteadyClock clock, TimeProvider time, ILogger<PubSub> log)
{
    /// <summary>The kernel's share of what waits, for a slow reader or from a fast sender; with its default of megabytes, statuses would grow old there instead of being overtaken.</summary>
    private const int SocketBufferBytes = 64 * 1024;

    /// <summary>How long a closed connection waits for the client's close frame, and for its taking ours.</summary>
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(2);

    /// <summary>Serves one request.</summary>
    public async Task ServeAsync(HttpContext http)
    {
        var headers = http.Request.Headers;
        if (http.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true } upgrade)
        {
            AskForWebSocket(http.Response);
            return;
        }

        var handshake = HandshakeKey.Check(headers.Upgrade, headers.Connection, headers.SecWebSocketVersion, headers.SecWebSocketKey);
        if (handshake != HandshakeAnswer.SwitchProtocols)
        {
            if (handshake == HandshakeAnswer.UpgradeRequired)
            {
                AskForWebSocket(http.Response);
            }
            else
            {
                http.Response.StatusCode = StatusCodes.Status400BadRequest;
            }

            return;
        }

        if (loop.IsDraining)
        {
            http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            http.Response.Headers.RetryAfter = "5";
            return;
        }

        if (await admission.AdmitAsync(http, directory.Current) is not { } caller)
        {
            return;
        }

        using var place = counts.Enter(caller.Uid);
        if (place is null)
        {
            LogTooMany(caller.Uid.ToString());
            http.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            http.Response.Headers.RetryAfter = "5";
            return;
        }

        http.Response.Headers.Upgrade = "websocket";
        http.Response.Headers.Connection = "Upgrade";
        http.Response.Headers.SecWebSocketAccept = HandshakeKey.AcceptOf(headers.SecWebSocketKey!);
        await upgrade.UpgradeAsync();
        await RunAsync(http, caller, place);
    }

    private static void AskForWebSocket(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status426UpgradeRequired;
        response.Headers[HeaderNames.Upgrade] = "websocket";
        response.Headers[HeaderNames.SecWebSocketVersion] = HandshakeKey.Version;
    }

    /// <summary>Runs a connection that is upgraded, below HTTP: its frames go straight to and from the transport's pipes, decrypted where there is TLS.</summary>
    private async Task RunAsync(HttpContext http, Caller caller, ConnectionCounts.Place place)
    {
        if (http.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket)
        {
            socket.SendBufferSize = SocketBufferBytes;
            socket.ReceiveBufferSize = SocketBufferBytes;
        }

        var transport = http.Features.Get<IConnectionTransportFeature>()!.Transport;
        var joined = new TaskCompletionSource<Client>(TaskCreationOptions.RunContinuationsAsynchronously);
        Client? client = null;
        var sink = new PipeSink(transport.Output, () => _ = loop.PostAsync(new LoopInput.Drained(client!), CancellationToken.None).AsTask());
        var shared = new ClientSocket(caller, sink);
        var origin = new ClientOrigin(
            caller.Subscriber?.DName.ToString() ?? caller.Uid.ToString(),
            string.Create(CultureInfo.InvariantCulture, $"ws {http.Connection.RemoteIpAddress}:{http.Connection.RemotePort}"));
        try
        {
            if (!await loop.PostAsync(new LoopInput.Join(caller.Uid, origin, shared, joined), CancellationToken.None))
            {
                joined.SetCanceled();
            }

            client = await joined.Task;
        }
        catch (OperationCanceledException)
        {
            sink.Close(CloseCode.ServiceRestart, "the server restarts");
            await sink.Closed.WaitAsync(Linger, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        using var linger = new CancellationTokenSource();
        var reading = ReadAsync(transport.Input, client, shared, linger.Token);
        await Task.WhenAny(reading, sink.Closing);

        // Whoever ends it, from here on the client has a little time: to take what is under way and our close frame, and to send its own.
        linger.CancelAfter(Linger);
        await reading;
        place.Dispose(); // the next connection of this subscriber need not wait for our lingering
        await loop.PostAsync(new LoopInput.Left(client), CancellationToken.None);
        await sink.Closed.WaitAsync(linger.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // When this returns, Kestrel takes the pipe back: not before the loop has let go of it, or is no more.
        await Task.WhenAny(sink.Closing, loop.ExecuteTask!);
        if (linger.IsCancellationRequested)
        {
            http.Abort();
        }
    }

    /// <summary>Reads frames until the client closes or is gone, or nobody waits for it any more.</summary>
    /// <remarks>
    /// What follows a broken rule is read and dropped: a socket that is closed with bytes unread answers them with a reset, and the client would lose
    /// the close frame that says why.
    /// </remarks>
    private async Task ReadAsync(PipeReader input, Client client, ClientSocket socket, CancellationToken linger)
    {
        using var frames = new FrameReader(limits.MessageBytes);
        var message = new ClientMessage();
        var budget = default(MessageBudget);
        var isEnded = false;
        try
        {
            while (!isEnded)
            {
                var read = await input.ReadAsync(linger);
                socket.Hear();
                List<LoopInput> inputs = [];
                foreach (var segment in read.Buffer)
                {
                    isEnded = isEnded || Read(segment.Span, frames, client, message, ref budget, inputs);
                }

                input.AdvanceTo(read.Buffer.End);
                foreach (var one in inputs)
                {
                    await loop.PostAsync(one, linger);
                }

                isEnded |= read.IsCompleted || read.IsCanceled;
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or InvalidOperationException)
        {
            // The connection was reset, or has lingered long enough.
        }
        catch (Exception e)
        {
            LogBroken(client.Origin.Through, e);
            await loop.PostAsync(new LoopInput.Close(client, CloseCode.InternalError, "the server failed at what you sent"), CancellationToken.None);
        }
    }

    /// <returns>Whether nothing can follow.</returns>
    private bool Read(ReadOnlySpan<byte> bytes, FrameReader frames, Client client, ClientMessage message, ref MessageBudget budget, List<LoopInput> inputs)
    {
        for (var found = frames.Read(ref bytes); found != FrameEvent.NeedsMore; found = frames.Read(ref bytes))
        {
            switch (found)
            {
                case FrameEvent.Text:
                    inputs.Add(Read(frames.Payload, client, message, ref budget));
                    break;
                case FrameEvent.Ping when budget.TrySpend(clock.Now.Steady, limits):
                    inputs.Add(new LoopInput.Reply(client, ServerFrame.Pong(frames.Payload)));
                    break;
                case FrameEvent.Refused:
                    inputs.Add(new LoopInput.Close(client, frames.CloseCode, frames.Reason));
                    break;
                case FrameEvent.Close:
                    inputs.Add(new LoopInput.Close(client, frames.CloseCode, frames.Reason));
                    return true;
            }
        }

        return false;
    }

    private LoopInput Read(ReadOnlySpan<byte> text, Client client, ClientMessage message, ref MessageBudget budget)
    {
        if (!budget.TrySpend(clock.Now.Steady, limits))
        {
            return new LoopInput.Reply(client, ErrorMessage.RateLimited.Frame);
        }

        if (!MessageReader.TryRead(text, message, out var refusal))
        {
            return new LoopInput.Reply(client, refusal.Frame);
        }

        if (!message.MayComeFrom(client.Subscriber.Utf8))
        {
            return new LoopInput.Reply(client, ErrorMessage.NotYourPublisher.Frame);
        }

        budget.Charge(message.EventCount);
        var events = message.EventCount == 0 ? [] : new (Names.Uid, bool)[message.EventCount];
        for (var i = 0; i < events.Length; i++)
        {
            events[i] = (loop.Uids.Of(message.EventUid(i)), message.EventIsSubscribe(i));
        }

        var wish = new ClientWish(message.Status, message.Timestamp, events);
        message.Clear();
        return new LoopInput.Said(client, wish);
    }

    [LoggerMessage(2102, LogLevel.Error, "{Client} is closed 1011: what it sent could not be handled")]
    private partial void LogBroken(string client, Exception reason);

    [LoggerMessage(2101, LogLevel.Warning, "{Uid} has as many connections as one subscriber may have; SERVICE.limits.connections is that number")]
    private partial void LogTooMany(string uid);
}
