using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StatusDaemon.Settings;

namespace StatusDaemon.EndToEnd;

/// <summary>The clients that stand in the documents, run as they stand there: only port and UID are the test's.</summary>
public sealed partial class DocumentClientTests(KerberosServer kerberos) : IClassFixture<KerberosServer>
{
    [Theory, InlineData("README.md"), InlineData("README.ru.md")]
    public async Task The_client_of_the_README_publishes_and_watches(string document)
    {
        await using var bob = await kerberos.ConnectAsync("bob");
        await bob.WatchAsync("uid-alice");
        await using var client = Run("alice", ClientOf(document, ("localhost:8080", Host), ("6f000000-0000-4000-8000-000000001002", "uid-bob")));

        await bob.SeesAsync("uid-alice", 2);
        await client.SeesAsync("uid-bob");
        await bob.SendAsync("""{"status":5}""");

        await client.SeesAsync("""{"status":5,"publisher":"uid-bob"}""");
    }

    [Fact]
    public async Task The_client_of_the_protocol_finds_publishes_watches_and_knows_when_to_give_up()
    {
        await using var bob = await kerberos.ConnectAsync("bob");
        await bob.WatchAsync("uid-erin");
        await using var client = Run("erin", ClientOf(Path.Combine("docs", "protocol.md"), ("localhost:8080", Host)), "bob@ALPHA.TEST", "nobody@ALPHA.TEST");

        await client.SeesAsync("unknown or hidden: nobody@ALPHA.TEST");
        await bob.SeesAsync("uid-erin", 2);
        await client.SeesAsync("uid-bob is ");
        await bob.SendAsync("""{"status":7,"timestamp":"17.5"}""");
        await client.SeesAsync("uid-bob is 7 17.5");

        // Whom the directory does not know any more is closed, tries again as the document says, and is refused for good.
        await kerberos.Server.WriteDirectoryAsync(string.Join('\n', KerberosServer.Directory.Split('\n').Where(line => !line.Contains("uid-erin", StringComparison.Ordinal))));
        await client.SeesAsync("closed: 1008");
        await client.SeesAsync("no connection: 403");
        Assert.Equal(0, await client.EndedAsync());
    }

    [Fact]
    public async Task The_client_of_the_protocol_outlives_a_KDC_that_is_away()
    {
        using var folder = new TempFolder();
        var good = await File.ReadAllTextAsync(kerberos.Realm.ConfigPath, TestContext.Current.CancellationToken);
        var config = folder.Write("krb5.conf", Kdc().Replace(good, "kdc = 127.0.0.1:1"));
        var environment = new Dictionary<string, string>(kerberos.Realm.ClientEnvironment(KerberosServer.NameOf("dave"))) { ["KRB5_CONFIG"] = config };
        await using var client = Run(environment, ClientOf(Path.Combine("docs", "protocol.md"), ("localhost:8080", Host)), "dave@ALPHA.TEST");
        await client.SeesAsync("no ticket: ");

        File.Delete(config);
        folder.Write("krb5.conf", good);

        await client.SeesAsync("uid-dave is 2");
    }

    [Fact]
    public async Task The_client_of_the_protocol_waits_as_the_server_asks_and_logs_in_once_more_after_401()
    {
        Queue<(int Status, string? RetryAfter)> answers = new([(503, "7"), (429, null), (401, null), (401, null)]);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var refuser = builder.Build();
        refuser.Run(http =>
        {
            (http.Response.StatusCode, var retryAfter) = answers.Dequeue(); // one client, one request at a time
            http.Response.Headers.RetryAfter = retryAfter;
            return Task.CompletedTask;
        });
        await refuser.StartAsync(TestContext.Current.CancellationToken);
        var host = new Uri(refuser.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Authority;

        await using var client = Run(
            kerberos.Realm.ClientEnvironment(KerberosServer.NameOf("dave")),
            ClientOf(Path.Combine("docs", "protocol.md"), ("localhost:8080", host), ("await asyncio.sleep(least", "print('waits', least, flush=True); await asyncio.sleep(0 * least")),
            "dave@ALPHA.TEST");

        Assert.Equal(0, await client.EndedAsync());
        string[] said = ["no connection: 503", "waits 7.0", "no connection: 429", "waits 5.0", "no connection: 401", "waits 0.0", "no connection: 401"];
        Assert.Equal(said, client.Said.Split('\n').Where(line => line.Length > 0).Select(line => string.Join(' ', line.Split(' ').Take(line[0] == 'w' ? 2 : 3))));
    }

    private string Host => string.Create(CultureInfo.InvariantCulture, $"localhost:{kerberos.Server.Port}");

    /// <summary>The one program of a document, with these texts replaced; each must be in it.</summary>
    private static string ClientOf(string document, params (string Text, string By)[] replacements)
    {
        var program = Assert.Single(Programs().Matches(File.ReadAllText(Path.Combine(Repository.Root, document)))).Groups["program"].Value;
        foreach (var (text, by) in replacements)
        {
            Assert.Contains(text, program, StringComparison.Ordinal);
            program = program.Replace(text, by, StringComparison.Ordinal);
        }

        return program;
    }

    private ClientProcess Run(string user, string program, params string[] arguments) =>
        Run(kerberos.Realm.ClientEnvironment(KerberosServer.NameOf(user)), program, arguments);

    private static ClientProcess Run(IReadOnlyDictionary<string, string> environment, string program, params string[] arguments) =>
        ClientProcess.Start("/usr/bin/python3", ["-u", "-c", program, .. arguments], environment);

    [GeneratedRegex("kdc = .*")]
    private static partial Regex Kdc();

    [GeneratedRegex("^```python\n(?<program>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Programs();
}
