using System.Globalization;
using System.Text.RegularExpressions;
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
        ClientProcess.Start("/usr/bin/python3", ["-u", "-c", program, .. arguments], kerberos.Realm.ClientEnvironment(KerberosServer.NameOf(user)));

    [GeneratedRegex("^```python\n(?<program>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Programs();
}
