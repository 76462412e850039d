using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using StatusDaemon.Auth;

namespace StatusDaemon.EndToEnd;

/// <summary>Who is kept out, how the server says so, and that it does it no harm.</summary>
public sealed class LoginRefusalTests(KerberosServer kerberos) : IClassFixture<KerberosServer>, IAsyncLifetime
{
    private const string NtlmMechanism = "1.3.6.1.4.1.311.2.2.10";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly byte[] Ntlm = [.. "NTLMSSP\0"u8, 1, 0, 0, 0, 7, 0x82, 8, 0xA2, .. new byte[16]];

    private readonly HttpClient http = new();

    /// <summary>Connected before and after: whatever happens to others, its statuses go through.</summary>
    private TestSocket? witness;

    public async ValueTask InitializeAsync() => witness = await kerberos.ConnectAsync("bob");

    public async ValueTask DisposeAsync()
    {
        await AssertUnharmedAsync();
        await LeaveAsync(witness!);
        http.Dispose();
    }

    [Theory]
    [InlineData("garbage", "(Garbage): not a token of GSS-API")]
    [InlineData("truncated", "(Garbage): the token is cut short")]
    [InlineData("not base64", "(Garbage): the token is not base64")]
    [InlineData("empty", "(Garbage): a token of 0 bytes")]
    [InlineData("replayed", "Request is a replay")]
    [InlineData("expired", "Ticket expired")]
    [InlineData("clocks apart", "Clock skew too great")]
    [InlineData("wrong key", "refused (WrongKey): ")]
    [InlineData("old keytab", "keytab is likely out of date")]
    [InlineData("tampered with", "Decrypt integrity check failed")]
    [InlineData("another service of the keytab", "the ticket is for cifs/localhost@ALPHA.TEST, which is in the keytab but not in AUTH.servicename")]
    [InlineData("a service that is not in the keytab", "HTTP/elsewhere.test")]
    [InlineData("NTLM", "(NotKerberos): NTLM, not Kerberos")]
    [InlineData("NTLM in SPNEGO", "(NotKerberos): An unsupported mechanism was requested")]
    [InlineData("NTLM before Kerberos in SPNEGO", "(NotKerberos): the client offers Kerberos but sent no ticket, or another mechanism first")]
    public async Task What_is_no_good_ticket_gets_401_and_its_reason_into_the_log(string what, string reason)
    {
        var token = await TokenAsync(what);

        using var answer = await UpgradeAsync($"Negotiate {token}");

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal("Negotiate", Assert.Single(answer.Headers.WwwAuthenticate).ToString());
        await kerberos.Server.SeesAsync(reason);
    }

    [Fact]
    public async Task A_password_gets_401_and_is_not_logged()
    {
        using var answer = await UpgradeAsync("Basic YWxpY2U6cGFzc3dvcmQ=");

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        await kerberos.Server.SeesAsync("(NotKerberos): the scheme Basic");
        Assert.DoesNotContain("YWxpY2U6cGFzc3dvcmQ", kerberos.Server.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_Authorization_headers_get_401()
    {
        var header = $"Authorization: Negotiate {Good("alice")}\r\n";

        Assert.Equal(401, await RawAsync($"GET /directory HTTP/1.1\r\nHost: localhost\r\n{header}{header}\r\n"));
        await kerberos.Server.SeesAsync("(Garbage): more than one Authorization header");
    }

    [Fact]
    public async Task A_good_ticket_of_nobody_whom_we_know_gets_403_in_words()
    {
        using var answer = await UpgradeAsync($"Negotiate {Good("stranger")}");

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal("stranger@ALPHA.TEST is not a subscriber here.\n", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        await kerberos.Server.SeesAsync("forbidden (NotSubscriber): stranger@ALPHA.TEST");
    }

    [Fact]
    public async Task Somebody_of_the_same_name_in_another_realm_gets_403_in_words()
    {
        using var answer = await UpgradeAsync($"Negotiate {Base64(kerberos.Ticket("alice") with { ClientRealm = "BETA.TEST" })}");

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.StartsWith("alice@BETA.TEST is of a realm that is not served here", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await kerberos.Server.SeesAsync("forbidden (ForeignRealm): alice@BETA.TEST");
    }

    [Fact]
    public async Task A_page_of_the_server_s_own_origin_is_let_in_and_one_of_another_is_not()
    {
        using var own = await UpgradeAsync($"Negotiate {Good("alice")}", $"http://localhost:{kerberos.Server.Port}");
        using var other = await UpgradeAsync($"Negotiate {Good("alice")}", "http://localhost");

        Assert.Equal(HttpStatusCode.SwitchingProtocols, own.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, other.StatusCode);
    }

    [Fact]
    public async Task A_large_token_is_looked_at_and_headers_of_200_KB_get_431()
    {
        var request = $"GET /directory HTTP/1.1\r\nHost: localhost\r\nAuthorization: Negotiate {{0}}\r\n\r\n";

        Assert.Equal(401, await RawAsync(string.Format(CultureInfo.InvariantCulture, request, Convert.ToBase64String(new byte[60_000]))));
        Assert.Equal(431, await RawAsync(string.Format(CultureInfo.InvariantCulture, request, Convert.ToBase64String(new byte[150_000]))));
    }

    [Fact]
    public async Task What_is_no_WebSocket_request_gets_426_and_its_ticket_is_not_looked_at()
    {
        var authorization = $"Negotiate {Good("alice")}";
        using var plain = new HttpRequestMessage(HttpMethod.Get, kerberos.Server.Address("127.0.0.1", "/pubsub"));
        plain.Headers.TryAddWithoutValidation("Authorization", authorization);

        using var answer = await http.SendAsync(plain, TestContext.Current.CancellationToken);
        using var upgrade = await UpgradeAsync(authorization);

        Assert.Equal(HttpStatusCode.UpgradeRequired, answer.StatusCode);
        Assert.Equal("websocket", answer.Headers.Upgrade.ToString());
        Assert.Equal(HttpStatusCode.SwitchingProtocols, upgrade.StatusCode);
    }

    [Fact]
    public async Task A_storm_of_bad_tokens_harms_nobody()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 300).Select(number => UpgradeAsync($"Negotiate {(number % 3) switch
        {
            0 => Convert.ToBase64String(RandomNumberGenerator.GetBytes(2_000)),
            1 => Base64(kerberos.Ticket("alice") with { Key = RandomNumberGenerator.GetBytes(32) }),
            _ => Base64(kerberos.Ticket("alice") with { End = DateTimeOffset.UtcNow.AddMinutes(-10) }),
        }}")));

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode));
        Array.ForEach(answers, answer => answer.Dispose());
    }

    private static string Base64(ForgedTicket ticket) => Convert.ToBase64String(ticket.ToToken());

    private static byte[] CutInHalf(byte[] token) => token[..(token.Length / 2)];

    private static byte[] WithOneBitTurned(byte[] token) => [.. token[..^40], (byte)(token[^40] ^ 1), .. token[^39..]];

    private string Good(string user) => Base64(kerberos.Ticket(user));

    private async Task<string> TokenAsync(string what)
    {
        var good = kerberos.Ticket("alice");
        return what switch
        {
            "garbage" => Convert.ToBase64String([1, .. RandomNumberGenerator.GetBytes(500)]),
            "truncated" => Convert.ToBase64String(CutInHalf(await RealTokenAsync("HTTP@localhost"))),
            "not base64" => "!!!!",
            "empty" => "",
            "replayed" => await UsedAsync(Convert.ToBase64String(await RealTokenAsync("HTTP@localhost"))),
            "expired" => Base64(good with { End = DateTimeOffset.UtcNow.AddMinutes(-10) }),
            "clocks apart" => Base64(good with { Sent = DateTimeOffset.UtcNow.AddMinutes(-10) }),
            "wrong key" => Base64(good with { Key = RandomNumberGenerator.GetBytes(32) }),
            "old keytab" => Convert.ToBase64String(await RealTokenAsync("HTTP@stale.test")),
            "tampered with" => Convert.ToBase64String(WithOneBitTurned(await RealTokenAsync("HTTP@localhost"))),
            "another service of the keytab" => Convert.ToBase64String(await RealTokenAsync("cifs@localhost")),
            "a service that is not in the keytab" => Convert.ToBase64String(await RealTokenAsync("HTTP@elsewhere.test")),
            "NTLM" => Convert.ToBase64String(Ntlm),
            "NTLM in SPNEGO" => Convert.ToBase64String(ForgedTicket.Spnego(Ntlm, NtlmMechanism)),
            "NTLM before Kerberos in SPNEGO" => Convert.ToBase64String(ForgedTicket.Spnego(Ntlm, NtlmMechanism, "1.2.840.113554.1.2.2")),
            _ => throw new ArgumentException(what),
        };
    }

    private async Task<byte[]> RealTokenAsync(string service)
    {
        await using var client = new ForeignClient(kerberos.Realm, KerberosServer.NameOf("alice"));
        return (await client.TokenAsync(service)).Token;
    }

    private async Task<string> UsedAsync(string token)
    {
        using var first = await UpgradeAsync($"Negotiate {token}");
        Assert.Equal(HttpStatusCode.SwitchingProtocols, first.StatusCode);
        return token;
    }

    private async Task<HttpResponseMessage> UpgradeAsync(string authorization, string? origin = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, kerberos.Server.Address("127.0.0.1", "/pubsub"));
        request.Headers.TryAddWithoutValidation("Authorization", authorization);
        request.Headers.Add("Connection", "Upgrade");
        request.Headers.Add("Upgrade", "websocket");
        request.Headers.Add("Sec-WebSocket-Version", "13");
        request.Headers.Add("Sec-WebSocket-Key", Convert.ToBase64String(RandomNumberGenerator.GetBytes(16)));
        if (origin is not null)
        {
            request.Headers.Add("Origin", origin);
        }

        return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken).WaitAsync(Patience, TestContext.Current.CancellationToken);
    }

    /// <summary>Sends bytes as they are, which HttpClient would not, and reads the status.</summary>
    private async Task<int> RawAsync(string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, kerberos.Server.Port, TestContext.Current.CancellationToken);
        using var stream = client.GetStream();
        using var reader = new StreamReader(stream);
        var status = reader.ReadLineAsync(TestContext.Current.CancellationToken).AsTask();
        try
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(request), TestContext.Current.CancellationToken);
        }
        catch (IOException)
        {
            // It has answered already and takes no more.
        }

        return int.Parse((await status.WaitAsync(Patience, TestContext.Current.CancellationToken))!.Split(' ')[1], CultureInfo.InvariantCulture);
    }

    private async Task AssertUnharmedAsync()
    {
        await using var watcher = await kerberos.ConnectAsync("dave");
        Assert.Contains("uid-bob", await watcher.WatchAsync("uid-bob"), StringComparison.Ordinal);
        await witness!.SendAsync("""{"status":6}""");
        await watcher.SeesAsync("uid-bob", 6);
        await witness.SendAsync("""{"status":1}""");
        await watcher.SeesAsync("uid-bob", 1);
        await LeaveAsync(watcher);
    }

    /// <summary>A closed connection makes room at once for the next of the same subscriber; one that just breaks off does so later.</summary>
    private static async Task LeaveAsync(TestSocket client)
    {
        await client.Socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, TestContext.Current.CancellationToken).WaitAsync(Patience, TestContext.Current.CancellationToken);
        await client.DisposeAsync();
    }
}
