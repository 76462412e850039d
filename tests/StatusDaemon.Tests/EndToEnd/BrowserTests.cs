using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using StatusDaemon.Auth;
using StatusDaemon.Load;
using StatusDaemon.Settings;

namespace StatusDaemon.EndToEnd;

/// <summary>Chromium with the user's ticket: it adds that by itself, whoever wrote the page.</summary>
public sealed class BrowserTests(KerberosRealm realm)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_page_of_an_allowed_origin_sees_statuses_and_one_of_another_origin_can_t_connect()
    {
        var key = RandomNumberGenerator.GetBytes(32);
        var keytab = KerberosServer.MakeKeytab(realm, key);
        var pages = new Pages();
        await using var site = await pages.StartAsync();
        await using var server = await StatusdProcess.StartAsync(
            $"SERVICE: {{ origins: ['http://localhost:{pages.Allowed}'] }}\nAUTH: {{ keytab: {keytab}, servicename: [HTTP@localhost, HTTP@forged.test] }}", KerberosServer.Directory);
        pages.PubSub = new UriBuilder(server.Address("localhost", "/pubsub")) { Scheme = "ws" }.Uri;
        await using var bob = await TestSocket.ConnectAsync(server, ForgedTicket.Good(key) with { Service = KerberosServer.ForgedService, Client = "bob" });
        await bob.SendAsync("""{"status":4,"events":{"uid-bob":9}}""");
        await bob.SeesAsync("uid-bob", 4);

        using var profile = new TempFolder();
        await using var chromium = Chromium(profile, $"http://localhost:{pages.Allowed}/both");

        Assert.Equal("""{"status":4,"publisher":"uid-bob"}""", await pages.AllowedSaw.Task.WaitAsync(Patience, TestContext.Current.CancellationToken));
        Assert.Equal("closed 1006", await pages.OtherSaw.Task.WaitAsync(Patience, TestContext.Current.CancellationToken));
        await server.SeesAsync($"forbidden (Origin): Pages of http://localhost:{pages.Other} may not log in here");
        await chromium.SeesAsync("<title>both</title>");
    }

    private ClientProcess Chromium(TempFolder profile, string page)
    {
        // A profile that has never met a Negotiate header keeps the Kerberos library away from its network process.
        profile.Write("Local State", """{"net":{"received_http_auth_negotiate_headers":true}}""");
        return ClientProcess.Start(
            "/usr/bin/chromium",
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", "--disable-component-update",
                $"--user-data-dir={profile.Path}", "--auth-server-allowlist=localhost", $"--timeout={Patience.TotalMilliseconds}", "--dump-dom", page,
            ],
            new Dictionary<string, string>(realm.ClientEnvironment(KerberosServer.NameOf("alice"))) { ["HOME"] = profile.Path });
    }

    /// <summary>One page at two origins. It tells what its WebSocket saw first, and its load event waits for that: then Chromium prints it and ends.</summary>
    private sealed class Pages
    {
        public int Allowed { get; } = FreePorts.Next();

        public int Other { get; } = FreePorts.Next();

        public Uri? PubSub { get; set; }

        public TaskCompletionSource<string> AllowedSaw { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<string> OtherSaw { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task<WebApplication> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls($"http://localhost:{Allowed}", $"http://localhost:{Other}");
            var site = builder.Build();
            site.Run(ServeAsync);
            await site.StartAsync(TestContext.Current.CancellationToken);
            return site;
        }

        private async Task ServeAsync(HttpContext http)
        {
            var saw = http.Request.Host.Port == Allowed ? AllowedSaw : OtherSaw;
            switch (http.Request.Path.Value)
            {
                case "/both":
                    await SendAsync(http, $"""<title>both</title>{Page()}<iframe src="http://localhost:{Other}/other"></iframe>""");
                    break;
                case "/other":
                    await SendAsync(http, Page());
                    break;
                case "/saw":
                    using (var body = new StreamReader(http.Request.Body))
                    {
                        saw.TrySetResult(await body.ReadToEndAsync(http.RequestAborted));
                    }

                    break;
                case "/hold":
                    await saw.Task.WaitAsync(Patience, http.RequestAborted);
                    break;
                default:
                    http.Response.StatusCode = StatusCodes.Status404NotFound;
                    break;
            }
        }

        private static Task SendAsync(HttpContext http, string page)
        {
            http.Response.ContentType = "text/html";
            return http.Response.WriteAsync("<!DOCTYPE html>" + page, http.RequestAborted);
        }

        private string Page() => $$$"""
            <script>
                const tell = text => fetch('/saw', { method: 'POST', body: text });
                const socket = new WebSocket('{{{PubSub}}}');
                socket.onopen = () => socket.send('{"events":{"uid-bob":9}}');
                socket.onmessage = message => tell(message.data);
                socket.onclose = closed => tell('closed ' + closed.code);
            </script>
            <img src="/hold">
            """;
    }
}
