using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
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

        if (plan.IsEmpty && request is { Statuses.Count: > 0, Names.Count: 0 })
        {
            throw new CommandFailedException(Text.NothingToDo);
        }

        ClientEnvironment.AvoidMissingCache();
        if (request.As is { } name)
        {
            (sandbox ?? throw new CommandFailedException(Text.SandboxMissing.With(request.StatePath))).LogInAs(name);
        }

        var left = request.Count ?? long.MaxValue;
        var printer = new NotificationPrinter(output, request.Json, clock, names);
        var failures = 0;
        var triedOnceMore = false;
        while (!stop.IsCancellationRequested)
        {
            var began = clock.GetTimestamp();
            var ending = await ConnectAndTalkAsync(plan, message => !printer.Print(message) || --left > 0, printer.PrintPublished, stop);
            if (clock.GetElapsedTime(began) >= BackOff.Settled)
            {
                failures = 0;
                triedOnceMore = false;
            }

            switch (ending)
            {
                case Ending.Done:
                    return 0;

                case Ending.Refused { OnceMore: true } refused when !triedOnceMore:
                    triedOnceMore = true;
                    await PauseAsync(new Ending.Lost(refused.Reason), failures++, stop);
                    break;

                case Ending.Refused refused:
                    throw new CommandFailedException(refused.Reason);

                case Ending.Lost lost:
                    await PauseAsync(lost, failures++, stop);
                    break;

                default:
                    throw new UnreachableException();
            }
        }

        return 0;
    }

    private Uri Server => request.Address("ws", "/pubsub");

    private async Task PauseAsync(Ending.Lost lost, int failures, CancellationToken stop)
    {
        var wait = BackOff.Before(failures, lost.AtLeast, lost.ServerRestarts, Random.Shared.NextDouble());
        Say(Text.Reconnecting, lost.Reason, wait.TotalSeconds.ToString("F1", CultureInfo.InvariantCulture));
        await Task.Delay(wait, clock, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task<Ending> ConnectAndTalkAsync(StatusPlan plan, Func<ServerMessage, bool> take, Action<Status> published, CancellationToken stop)
    {
        var certificate = SslPolicyErrors.None;
        using var refusal = new RefusalReader(new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            SslOptions = new SslClientAuthenticationOptions
            {
                // As strict as without it; only that what was found is kept.
                RemoteCertificateValidationCallback = (_, _, _, found) => (certificate = found) == SslPolicyErrors.None,
            },
        });
        using var http = new HttpMessageInvoker(refusal, disposeHandler: false);
        using var socket = new ClientWebSocket();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(ConnectLimit);
        try
        {
            if (await ResolveAsync(plan, http, limit.Token) is { } unresolved)
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
            return new Ending.Lost(Text.ConnectTimeout.With(Server));
        }
        catch (TicketException e)
        {
            return LostOrRefused(await ExplainAsync(e, stop));
        }
        catch (Exception e) when (e is HttpRequestException or WebSocketException or IOException)
        {
            var sentence = Text.CannotConnect.With(Server, ConnectionFault.Of(e, certificate, request.Host));
            return LostOrRefused(everConnected || !ConnectionFault.IsRefusal(e) ? sentence : $"{sentence} {Text.StartServer}");
        }

        everConnected = true;
        Say(Text.Connected, Server, names.Count);
        return await new Conversation(socket, plan, request.Sleep, clock, take, published).RunAsync(names.Keys, stop);
    }

    /// <summary>A server that was never there is more likely a wrong address, a ticket that was never had a wrong name, than something that passes.</summary>
    private Ending LostOrRefused(string reason) => everConnected ? new Ending.Lost(reason) : new Ending.Refused(reason);

    /// <summary>Looks for the reason why there is no ticket where .NET does not tell it.</summary>
    private async Task<string> ExplainAsync(TicketException e, CancellationToken stop)
    {
        try
        {
            await Dns.GetHostAddressesAsync(request.Host, stop);
        }
        catch (SocketException unresolved)
        {
            return Text.CannotConnect.With(Server, ConnectionFault.Of(unresolved, SslPolicyErrors.None, request.Host));
        }

        if (request.As is not null && sandbox is not null && !await sandbox.AnswersAsync(stop))
        {
            return Text.SandboxAsleep;
        }

        if (ClientKerberos.HasExpiredTicket())
        {
            return Text.TicketExpired;
        }

        return e.Status != NegotiateAuthenticationStatusCode.UnknownCredentials ? Text.TicketRefused.With(request.ServiceName, e.Status)
            : sandbox is not null && request.As is null ? Text.TicketMissingInSandbox.With(string.Join(", ", sandbox.Names))
            : Text.TicketMissing;
    }

    private async Task<Ending?> ResolveAsync(StatusPlan plan, HttpMessageInvoker http, CancellationToken limit)
    {
        if (resolved || request.Names.Count == 0)
        {
            return null;
        }

        HashSet<string> missing = [.. request.Names];
        if (await new DirectoryClient(http, request, NewTicket).ResolveAsync([.. missing], names, missing, limit) is { } ending)
        {
            return ending;
        }

        resolved = true;
        foreach (var name in request.Names.Distinct().Where(missing.Contains))
        {
            Say(Text.UnknownName, name);
        }

        return names.Count == 0 && plan.IsEmpty ? new Ending.Refused(Text.NothingToDo) : null;
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
            return ServerVerdict.Of(status, refusal.Reason, refusal.RetryAfter);
        }

        var answers = socket.HttpResponseHeaders?.GetValueOrDefault("WWW-Authenticate") ?? [];
        socket.HttpResponseHeaders = null;
        return ticket.IsAnsweredBy(answers) ? null : new Ending.Refused(Text.ServerUnproved);
    }

    private Ticket NewTicket() => Ticket.For(request.ServiceName);

    private void Say(string text, params object[] values) => error.WriteLine(text.With(values));
}
