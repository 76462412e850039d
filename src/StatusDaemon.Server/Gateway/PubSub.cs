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
    // One a thread, since a message is read at once: clients that say nothing hold none.
    private static readonly ThreadLocal<ClientMessage> Messages = new(static () => new ClientMessage());

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

        if (loops.IsDraining || !directory.IsThere)
        {
            http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            http.Response.Headers.RetryAfter = RetryAfter.Jittered();
            return;
        }

        if (await admission.AdmitAsync(http, directory.Current) is not { } caller)
        {
            return;
        }

        if (!counts.TryEnter(caller.Uid))
        {
            LogTooMany(caller.Uid.ToString());
            http.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            http.Response.Headers.RetryAfter = "5";
            return;
        }

        http.Response.Headers.Upgrade = "websocket";
        http.Response.Headers.Connection = "Upgrade";
        http.Response.Headers.SecWebSocketAccept = HandshakeKey.AcceptOf(headers.SecWebSocketKey!);
        var isTaken = false; // by a loop, which counts it out
        try
        {
            await upgrade.UpgradeAsync();
            http.Features.Get<Arrivals.Arrival>()!.Dispose();
            var origin = new ClientOrigin(
                caller.DName.IsEmpty ? caller.Uid.ToString() : caller.DName.ToString(),
                string.Create(CultureInfo.InvariantCulture, $"ws {http.Connection.RemoteIpAddress}:{http.Connection.RemotePort}"));
            if (http.Features.Get<Detachable>() is { } detachable)
            {
                isTaken = await detachable.DetachAsync((sockets, number, behind) => loops.Of(sockets).Adopt(number, caller, origin, behind));
            }
            else if (await JoinAsync(http, caller, origin) is { } kept)
            {
                isTaken = true;
                try
                {
                    await RunAsync(http, kept);
                }
                finally
                {
                    await kept.Loop.PostAsync(new LoopInput.Gone(), CancellationToken.None);
                }
            }
        }
        finally
        {
            if (!isTaken)
            {
                counts.Leave(caller.Uid);
            }
        }
    }

    private static void AskForWebSocket(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status426UpgradeRequired;
        response.Headers[HeaderNames.Upgrade] = "websocket";
        response.Headers[HeaderNames.SecWebSocketVersion] = HandshakeKey.Version;
    }

    /// <summary>Gives a connection that Kestrel keeps to the loop that its socket is on.</summary>
    /// <returns>Null if the loop takes nobody any more; then it is closed.</returns>
    private async Task<KeptClient?> JoinAsync(HttpContext http, Caller caller, ClientOrigin origin)
    {
        var loop = loops.Of(http.Features.Get<SocketLoop>()!);
        var transport = http.Features.Get<IConnectionTransportFeature>()!.Transport;
        var joined = new TaskCompletionSource<Client>(TaskCreationOptions.RunContinuationsAsynchronously);
        var peer = http.Features.Get<IPeerFeature>()!;
        var sink = new PipeSink(transport.Output, () => peer.HasLeft, () => _ = ReportDrainedAsync());
        try
        {
            if (!await loop.PostAsync(new LoopInput.Join(caller, origin, sink, joined), CancellationToken.None))
            {
                joined.SetCanceled();
            }

            return new KeptClient(loop, await joined.Task, sink, transport.Input);
        }
        catch (OperationCanceledException)
        {
            sink.Close(CloseCode.ServiceRestart, "the server restarts");
            await sink.Closed.WaitAsync(GatewayLoop.LingerFor, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return null;
        }

        async Task ReportDrainedAsync() => await loop.PostAsync(new LoopInput.Drained(await joined.Task), CancellationToken.None);
    }

    /// <summary>Runs a connection that Kestrel keeps, below HTTP: its frames go straight to and from the transport's pipes, decrypted where there is TLS.</summary>
    private async Task RunAsync(HttpContext http, KeptClient kept)
    {
        using var linger = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        var reading = ReadAsync(kept, linger.Token);
        await Task.WhenAny(reading, kept.Sink.Closing);

        // Whoever ends it, from here on the client has a little time: to take what is under way and our close frame, and to send its own.
        linger.CancelAfter(GatewayLoop.LingerFor);
        await reading;
        await kept.Loop.PostAsync(new LoopInput.Left(kept.Client), CancellationToken.None);
        await kept.Sink.Closed.WaitAsync(linger.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // When this returns, Kestrel takes the pipe back: not before the loop has let go of it, or is no more.
        await Task.WhenAny(kept.Sink.Closing, kept.Loop.Sockets.Ended);
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
    private static async Task ReadAsync(KeptClient kept, CancellationToken linger)
    {
        using var reader = kept.Loop.NewReader();
        var input = default(ClientInput);
        var isEnded = false;
        try
        {
            while (!isEnded)
            {
                await kept.Sink.MayRead.WaitAsync(linger);
                var read = await kept.Input.ReadAsync(linger);
                kept.Client.Silence.Hear(kept.Loop.AwakeNow);
                List<LoopInput> inputs = [];
                foreach (var segment in read.Buffer)
                {
                    isEnded = isEnded || reader.Read(segment.Span, kept.Client, ref input, Messages.Value!, inputs);
                }

                kept.Input.AdvanceTo(read.Buffer.End);
                foreach (var one in inputs)
                {
                    await kept.Loop.PostAsync(one, linger);
                }

                isEnded |= read.IsCompleted || read.IsCanceled;
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or InvalidOperationException)
        {
            // The connection was reset, or has lingered long enough.
        }
        finally
        {
            input.Unfinished?.Dispose();
        }
    }

    /// <summary>A client whose connection Kestrel keeps.</summary>
    private sealed record KeptClient(GatewayLoop Loop, Client Client, PipeSink Sink, PipeReader Input);

    [LoggerMessage(2101, LogLevel.Warning, "{Uid} has as many connections as one subscriber may have; SERVICE.limits.connections is that number")]
    private partial void LogTooMany(string uid);
}
