using System.Globalization;
using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;
using StatusDaemon.Auth;
using StatusDaemon.Directories;
using StatusDaemon.Protocol;
using StatusDaemon.Transport;

namespace StatusDaemon.Gateway;

/// <summary>The endpoint <c>/pubsub</c>: logs a client in, takes its WebSocket over from Kestrel, and reads it to its end.</summary>
internal sealed partial class PubSub(
    Admission admission, GatewayLoops loops, ISubscriberDirectory directory, ConnectionCounts counts, TimeProvider time, ILogger<PubSub> log)
{
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

        if (loops.IsDraining)
        {
            http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            http.Response.Headers.RetryAfter = "5";
            return;
        }

        if (await admission.AdmitAsync(http, directory.Current) is not { } caller)
        {
            return;
        }

        var place = counts.Enter(caller.Uid);
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
        var isLeft = false;
        try
        {
            await upgrade.UpgradeAsync();
            var origin = new ClientOrigin(
                caller.Subscriber?.DName.ToString() ?? caller.Uid.ToString(),
                string.Create(CultureInfo.InvariantCulture, $"ws {http.Connection.RemoteIpAddress}:{http.Connection.RemotePort}"));
            if (http.Features.Get<Detachable>() is { } detachable)
            {
                isLeft = await detachable.DetachAsync((sockets, number, behind) => loops.Of(sockets).Adopt(number, caller, origin, place, behind));
            }
            else
            {
                await RunAsync(http, caller, origin, place);
            }
        }
        finally
        {
            if (!isLeft)
            {
                place.Dispose();
            }
        }
    }

    private static void AskForWebSocket(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status426UpgradeRequired;
        response.Headers[HeaderNames.Upgrade] = "websocket";
        response.Headers[HeaderNames.SecWebSocketVersion] = HandshakeKey.Version;
    }

    /// <summary>Runs a connection that Kestrel keeps, below HTTP: its frames go straight to and from the transport's pipes, decrypted where there is TLS.</summary>
    private async Task RunAsync(HttpContext http, Caller caller, ClientOrigin origin, ConnectionCounts.Place place)
    {
        var loop = loops.Of(http.Features.Get<SocketLoop>()!);
        var transport = http.Features.Get<IConnectionTransportFeature>()!.Transport;
        var joined = new TaskCompletionSource<Client>(TaskCreationOptions.RunContinuationsAsynchronously);
        Client? client = null;
        var sink = new PipeSink(transport.Output, () => _ = loop.PostAsync(new LoopInput.Drained(client!), CancellationToken.None).AsTask());
        var shared = new ClientSocket(caller, sink);
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
            await sink.Closed.WaitAsync(GatewayLoop.LingerFor, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        using var linger = new CancellationTokenSource();
        var reading = ReadAsync(transport.Input, loop, client, shared, linger.Token);
        await Task.WhenAny(reading, sink.Closing);

        // Whoever ends it, from here on the client has a little time: to take what is under way and our close frame, and to send its own.
        linger.CancelAfter(GatewayLoop.LingerFor);
        await reading;
        place.Dispose(); // the next connection of this subscriber need not wait for our lingering
        await loop.PostAsync(new LoopInput.Left(client), CancellationToken.None);
        await sink.Closed.WaitAsync(linger.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // When this returns, Kestrel takes the pipe back: not before the loop has let go of it, or is no more.
        await Task.WhenAny(sink.Closing, loop.Sockets.Ended);
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
    private static async Task ReadAsync(PipeReader input, GatewayLoop loop, Client client, ClientSocket socket, CancellationToken linger)
    {
        using var reader = loop.NewReader();
        var message = new ClientMessage();
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
                    isEnded = isEnded || reader.Read(segment.Span, client, message, inputs);
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
    }

    [LoggerMessage(2101, LogLevel.Warning, "{Uid} has as many connections as one subscriber may have; SERVICE.limits.connections is that number")]
    private partial void LogTooMany(string uid);
}
