using System.Diagnostics;
using System.Globalization;
using System.Net.WebSockets;
using StatusDaemon.Language;
using StatusDaemon.Statuses;

namespace StatusDaemon.Imitation;

/// <summary>Imitates a client of the status server: logs in, watches, publishes in turn, and prints what it is told.</summary>
/// <param name="output">Takes the notifications and errors of the server.</param>
/// <param name="error">Takes everything else: who could not be found, connections come and gone.</param>
internal sealed class TestClient(TestClientRequest request, TextWriter output, TextWriter error, TimeProvider clock)
{
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    private readonly Dictionary<string, string> names = [];
    private readonly SandboxLogins? sandbox = SandboxLogins.Find(request.StatePath);
    private bool resolved;
    private bool everConnected;

    /// <summary>Runs until it is stopped, all was done, or the server refuses for good.</summary>
    /// <returns>The exit code.</returns>
    /// <exception cref="CommandFailedException">It could not log in, or was refused.</exception>
    public async Task<int> RunAsync(CancellationToken stop)
    {
        var plan = new StatusPlan(request.Statuses, out var unknown);
        foreach (var word in unknown)
        {
            Say(Text.UnknownStatus, word, string.Join(", ", StatusNames.All));
        }

        ClientEnvironment.AvoidMissingCache();
        if (request.As is { } name)
        {
            (sandbox ?? throw new CommandFailedException(Text.SandboxMissing.With(request.StatePath))).LogInAs(name);
        }

        var left = request.Count ?? long.MaxValue;
        var printer = new NotificationPrinter(output, request.Json, clock, names);
        for (var attempt = 0; !stop.IsCancellationRequested; attempt++)
        {
            switch (await ConnectAndTalkAsync(plan, message => !printer.Print(message) || --left > 0, stop))
            {
                case Ending.Done:
                    return 0;

                case Ending.Refused refused:
                    throw new CommandFailedException(refused.Reason);

                case Ending.Lost lost:
                    attempt = lost.Worked ? 0 : attempt;
                    var wait = BackOff.Before(attempt, Random.Shared.NextDouble());
                    Say(Text.Reconnecting, lost.Reason, wait.TotalSeconds.ToString("F1", CultureInfo.InvariantCulture));
                    await Task.Delay(wait, clock, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    break;

                default:
                    throw new UnreachableException();
            }
        }

        return 0;
    }

    private async Task<Ending> ConnectAndTalkAsync(StatusPlan plan, Func<ServerMessage, bool> take, CancellationToken stop)
    {
        using var refusal = new RefusalReader(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false });
        using var http = new HttpMessageInvoker(refusal, disposeHandler: false);
        using var socket = new ClientWebSocket();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(ConnectLimit);
        try
        {
            if (await ResolveAsync(http, limit.Token) is { } unresolved)
            {
                return unresolved;
            }

            if (await ConnectAsync(socket, http, refusal, limit.Token) is { } refused)
            {
                return refused;
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return new Ending.Done();
        }
        catch (OperationCanceledException)
        {
            return new Ending.Lost(Text.ConnectTimeout.With(Server), Worked: false);
        }
        catch (Exception e) when (e is HttpRequestException or WebSocketException or IOException)
        {
            // A server that was never there is more likely a wrong address than a restart.
            var why = e.GetBaseException().Message;
            return everConnected
                ? new Ending.Lost(Text.CannotReconnect.With(Server, why), Worked: false)
                : new Ending.Refused(Text.CannotConnect.With(Server, why));
        }

        everConnected = true;
        Say(Text.Connected, Server, names.Count);
        return await new Conversation(socket, plan, request.Sleep, clock, take).RunAsync(names.Keys, stop);
    }

    private Uri Server => request.Address("ws", "/pubsub");

    private async Task<Ending?> ResolveAsync(HttpMessageInvoker http, CancellationToken limit)
    {
        if (resolved || request.Names.Count == 0)
        {
            return null;
        }

        if (await new DirectoryClient(http, request, NewTicket).ResolveAsync([.. request.Names.Distinct()], names, limit) is { } ending)
        {
            return ending;
        }

        resolved = true;
        foreach (var name in request.Names.Except(names.Values))
        {
            Say(Text.UnknownName, name);
        }

        return null;
    }

    private async Task<Ending?> ConnectAsync(ClientWebSocket socket, HttpMessageInvoker http, RefusalReader refusal, CancellationToken limit)
    {
        using var ticket = NewTicket();
        socket.Options.SetRequestHeader("Authorization", ticket.Authorization);
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.KeepAliveInterval = KeepAlive;
        socket.Options.KeepAliveTimeout = KeepAlive;
        try
        {
            await socket.ConnectAsync(Server, http, limit);
        }
        catch (WebSocketException) when (refusal.Refused is { } status)
        {
            return ServerVerdict.Of(status, refusal.Reason);
        }

        var answers = socket.HttpResponseHeaders?.GetValueOrDefault("WWW-Authenticate") ?? [];
        socket.HttpResponseHeaders = null;
        return ticket.IsAnsweredBy(answers) ? null : new Ending.Refused(Text.ServerUnproved);
    }

    private Ticket NewTicket() => Ticket.For(request.ServiceName, sandbox?.Names ?? []);

    private void Say(string text, params object[] values) => error.WriteLine(text.With(values));
}
