using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StatusDaemon.EndToEnd;
using StatusDaemon.Names;
using StatusDaemon.Privileges;

namespace StatusDaemon.Auth;

public sealed class AdmissionTests(KerberosRealm realm) : IAsyncLifetime
{
    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);

    private readonly string folder = Directory.CreateTempSubdirectory("statusd-admission-").FullName;
    private readonly Lines lines = new();
    private readonly ConcurrentQueue<string> counted = new();
    private readonly HttpClient http = new();
    private readonly List<WebApplication> servers = [];
    private readonly List<IDisposable> others = [];

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        foreach (var server in servers)
        {
            await server.DisposeAsync();
        }

        others.ForEach(other => other.Dispose());
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Without_a_token_the_answer_is_the_bare_challenge()
    {
        var server = await KerberosAsync();

        using var answer = await http.GetAsync(server, TestContext.Current.CancellationToken);

        await AssertChallengeAsync(answer);
        Assert.False(answer.Headers.ConnectionClose ?? false);
        Assert.Equal(["challenged"], counted);
        Assert.Empty(lines.Of(1501));
    }

    [Theory, InlineData("Negotiate"), InlineData("negotiate"), InlineData("NEGOTIATE  ")]
    public async Task A_good_ticket_tells_who_it_is_whatever_the_scheme_s_case(string scheme)
    {
        var server = await KerberosAsync();

        using var answer = await SendAsync(server, $"{scheme} {Token(ForgedTicket.Good(Key))}");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("uid-alice", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.StartsWith("Negotiate ", Assert.Single(answer.Headers.WwwAuthenticate).ToString(), StringComparison.Ordinal);
        Assert.Equal(["accepted"], counted);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task The_reply_on_the_101_convinces_a_client_of_a_real_KDC(bool spnego)
    {
        var name = spnego ? "admission-spnego" : "admission-raw";
        await using var client = new ForeignClient(realm, realm.AddPrincipal(name));
        realm.AddPrincipal($"HTTP/{name}");
        var server = await KerberosAsync(realm.Keytab($"HTTP/{name}"), $"HTTP@{name}", $"{name}@{KerberosRealm.Name}");
        var (token, id) = await client.TokenAsync($"HTTP@{name}", spnego);

        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", $"Negotiate {Convert.ToBase64String(token)}");
        socket.Options.CollectHttpResponseDetails = true;
        await socket.ConnectAsync(new UriBuilder(server) { Scheme = "ws" }.Uri, TestContext.Current.CancellationToken);

        var reply = Assert.Single(socket.HttpResponseHeaders!["WWW-Authenticate"]);
        Assert.True(await client.VerifyAsync(id, Convert.FromBase64String(reply["Negotiate ".Length..])));
    }

    [Theory]
    [InlineData("Basic YWxpY2U6c2VjcmV0", "the scheme Basic")]
    [InlineData("c2VjcmV0c2VjcmV0c2VjcmV0", "no scheme that is known here")]
    [InlineData("Negotiate", "a token of 0 bytes")]
    [InlineData("Negotiate !!!!", "not base64")]
    [InlineData("Negotiate TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAA=", "NTLM, not Kerberos")]
    [InlineData("Negotiate AAAA", "not a token of GSS-API")]
    public async Task What_is_no_ticket_gets_401_and_its_reason_into_the_log(string authorization, string reason)
    {
        var server = await KerberosAsync();

        using var answer = await SendAsync(server, authorization);

        await AssertChallengeAsync(answer);
        var line = Assert.Single(lines.Of(1501));
        Assert.Contains(reason, line, StringComparison.Ordinal);
        Assert.Contains("127.0.0.1", line, StringComparison.Ordinal);
        Assert.DoesNotContain("c2VjcmV0", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_Authorization_headers_are_none()
    {
        var server = await KerberosAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, server);
        request.Headers.TryAddWithoutValidation("Authorization", [$"Negotiate {Token(ForgedTicket.Good(Key))}", $"Negotiate {Token(ForgedTicket.Good(Key))}"]);
        request.Headers.NonValidated.TryGetValues("Authorization", out var values);
        Assert.Equal(2, values.Count);

        // HttpClient would join the two with a comma; on the wire they are to be two lines.
        using var answer = new HttpResponseMessage(await RawStatusAsync(server, values));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal(["refused/garbage"], counted);
    }

    [Fact]
    public async Task A_replayed_ticket_gets_401_and_is_counted_by_reason()
    {
        var server = await KerberosAsync();
        var authorization = $"Negotiate {Token(ForgedTicket.Good(Key))}";
        using var first = await SendAsync(server, authorization);

        using var second = await SendAsync(server, authorization);

        await AssertChallengeAsync(second);
        Assert.Equal(["accepted", "refused/replay"], counted);
        Assert.Contains("Request is a replay", Assert.Single(lines.Of(1501)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Somebody_whom_no_directory_knows_gets_403_and_is_told_why()
    {
        var server = await KerberosAsync();

        using var answer = await SendAsync(server, $"Negotiate {Token(ForgedTicket.Good(Key) with { Client = "mallory" })}");

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal("mallory@ALPHA.TEST is not a subscriber here.\n", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(["refused/not-subscriber"], counted);
        Assert.Single(lines.Of(1502));
    }

    [Fact]
    public async Task Somebody_of_a_realm_that_is_not_ours_gets_403_and_is_told_why()
    {
        var server = await KerberosAsync();

        using var answer = await SendAsync(server, $"Negotiate {Token(ForgedTicket.Good(Key) with { ClientRealm = "BETA.TEST" })}");

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains("alice@BETA.TEST is of a realm", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(["refused/foreign-realm"], counted);
    }

    [Fact]
    public async Task A_page_of_another_origin_gets_403_and_its_ticket_is_not_looked_at()
    {
        var server = await KerberosAsync();
        var authorization = $"Negotiate {Token(ForgedTicket.Good(Key))}";

        using var other = await SendAsync(server, authorization, "http://evil.example");
        using var own = await SendAsync(server, authorization, "http://localhost:8080");

        Assert.Equal(HttpStatusCode.Forbidden, other.StatusCode);
        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
        Assert.Equal(["refused/origin", "accepted"], counted);
    }

    [Fact]
    public async Task A_keytab_that_went_away_is_503_and_an_error_in_the_log()
    {
        var server = await KerberosAsync();
        File.Delete(Path.Combine(folder, "service.keytab"));

        using var answer = await SendAsync(server, $"Negotiate {Token(ForgedTicket.Good(Key))}");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Contains("is not there", Assert.Single(lines.Of(1504)), StringComparison.Ordinal);
        Assert.Equal(["broken"], counted);
    }

    [Fact]
    public async Task A_storm_of_logins_is_let_in_whole()
    {
        var server = await KerberosAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => SendAsync(server, $"Negotiate {Token(ForgedTicket.Good(Key))}")));

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        others.AddRange(answers);
    }

    [Fact]
    public async Task The_ticket_s_end_is_known_to_who_asks()
    {
        var server = await KerberosAsync();

        using var answer = await SendAsync(server, $"Negotiate {Token(ForgedTicket.Good(Key))}");

        Assert.Equal(
            DateTimeOffset.UtcNow.AddHours(9),
            DateTimeOffset.Parse(Assert.Single(answer.Headers.GetValues("X-Ticket-End")), null),
            TimeSpan.FromMinutes(1));
    }

    [Theory, InlineData("uid-alice", "uid-alice"), InlineData("nobody-knows", "nobody-knows")]
    public async Task A_trusted_header_is_believed(string header, string uid)
    {
        var server = await StartAsync(new TrustedHeaderLogin(), Of("alice@ALPHA.TEST"));
        using var request = new HttpRequestMessage(HttpMethod.Get, server);
        request.Headers.Add(TrustedHeaderLogin.Header, header);

        using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(uid, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Theory, InlineData(null), InlineData(""), InlineData("129")]
    public async Task A_trusted_header_that_is_no_UID_gets_401(string? header)
    {
        var server = await StartAsync(new TrustedHeaderLogin(), Of("alice@ALPHA.TEST"));
        using var request = new HttpRequestMessage(HttpMethod.Get, server);
        if (header is not null)
        {
            request.Headers.TryAddWithoutValidation(TrustedHeaderLogin.Header, header == "129" ? new string('x', 129) : header);
        }

        using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Empty(answer.Headers.WwwAuthenticate);
        Assert.Equal(["refused/bad-header"], counted);
    }

    private static string Token(ForgedTicket ticket) => Convert.ToBase64String(ticket.ToToken());

    private static DirectorySnapshot Of(params string[] dnames) => new(
        dnames.Select(text => DName.TryParse(text, out var dname) && Uid.TryParse($"uid-{dname.User}", out var uid)
            ? new Subscriber { Uid = uid, DName = dname }
            : throw new ArgumentException(text)),
        new DirectoryPolicy());

    private static async Task AssertChallengeAsync(HttpResponseMessage answer)
    {
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal("Negotiate", Assert.Single(answer.Headers.WwwAuthenticate).ToString());
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync());
    }

    private async Task<HttpResponseMessage> SendAsync(Uri server, string authorization, string? origin = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, server);
        request.Headers.TryAddWithoutValidation("Authorization", authorization);
        if (origin is not null)
        {
            request.Headers.Add("Origin", origin);
        }

        return await http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static async Task<HttpStatusCode> RawStatusAsync(Uri server, IEnumerable<string> authorizations)
    {
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(server.Host, server.Port, TestContext.Current.CancellationToken);
        using var stream = client.GetStream();
        var lines = string.Concat(authorizations.Select(value => $"Authorization: {value}\r\n"));
        await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: x\r\n{lines}\r\n"), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);
        var status = await reader.ReadLineAsync(TestContext.Current.CancellationToken);
        return (HttpStatusCode)int.Parse(status!.Split(' ')[1], null);
    }

    private async Task<Uri> KerberosAsync()
    {
        var path = Path.Combine(folder, "service.keytab");
        await File.WriteAllBytesAsync(path, ForgedTicket.Keytab(Key, 1, "HTTP/localhost"));
        return await KerberosAsync(path, "HTTP@localhost", "alice@ALPHA.TEST");
    }

    private async Task<Uri> KerberosAsync(string keytab, string service, string subscriber)
    {
        var probe = AuthProbe.Run(new AuthOptions { Keytab = keytab, ServiceNames = [service] }, folder, "vm", TimeProvider.System);
        var acceptor = new GssAcceptor(probe.Setup!);
        var login = new NegotiateLogin(acceptor);
        others.AddRange([login, acceptor]);
        return await StartAsync(login, Of(subscriber));
    }

    private async Task<Uri> StartAsync(ILogin login, DirectorySnapshot directory)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestHeadersTotalSize = 128 * 1024);
        builder.Logging.ClearProviders().AddProvider(lines);
        var server = builder.Build();
        servers.Add(server);
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, all) =>
            {
                if (instrument.Name == "statusd.logins" && instrument.Meter.Scope == server.Services.GetRequiredService<IMeterFactory>())
                {
                    all.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) => counted.Enqueue(string.Join('/', tags.ToArray().Select(tag => tag.Value))));
        listener.Start();
        others.Add(listener);
        var admission = new Admission(
            login,
            OriginPolicy.OfServer([new ServiceName("HTTP", "localhost")], isTls: false, () => 8080),
            new LoginMetrics(server.Services.GetRequiredService<IMeterFactory>()),
            server.Services.GetRequiredService<ILogger<Admission>>());
        server.UseWebSockets();
        server.Run(async context =>
        {
            if (await admission.AdmitAsync(context, directory) is not { } caller)
            {
                return;
            }

            if (context.WebSockets.IsWebSocketRequest)
            {
                using var socket = await context.WebSockets.AcceptWebSocketAsync();
                return;
            }

            context.Response.Headers["X-Ticket-End"] = caller.TicketEnd?.ToString("O");
            await context.Response.WriteAsync(caller.Uid.ToString());
        });
        await server.StartAsync(TestContext.Current.CancellationToken);
        return new Uri(server.Urls.Single());
    }

    /// <summary>Keeps what was logged.</summary>
    private sealed class Lines : ILoggerProvider, ILogger
    {
        private readonly ConcurrentQueue<(int Id, string Text)> all = new();

        public IEnumerable<string> Of(int id) => all.Where(line => line.Id == id).Select(line => line.Text);

        public ILogger CreateLogger(string categoryName) => this;

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            all.Enqueue((eventId.Id, formatter(state, exception)));

        public void Dispose()
        {
        }
    }
}
