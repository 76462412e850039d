namespace StatusDaemon.EndToEnd;

/// <summary>curl: <c>--negotiate</c> brings the ticket at once; <c>--anyauth</c> asks first and brings it after the 401, as browsers do.</summary>
public sealed class CurlTests(KerberosServer kerberos) : IClassFixture<KerberosServer>
{
    [Fact]
    public async Task The_directory_is_read_with_the_ticket_in_the_first_request()
    {
        await using var curl = Curl("--negotiate", "-i", kerberos.Server.Address("localhost", "/directory").AbsoluteUri + "?number=2002");

        Assert.Equal("HTTP/1.1 200 OK", await curl.ReadAsync());
        await curl.SeesAsync("""{"subscribers":[{"uid":"uid-bob",""");
    }

    [Fact]
    public async Task The_directory_is_read_on_the_connection_that_was_answered_401()
    {
        await using var curl = Curl("--anyauth", "-i", "-w", "\nconnections: %{num_connects}\n", kerberos.Server.Address("localhost", "/directory").AbsoluteUri + "?number=2002");

        await curl.SeesAsync("HTTP/1.1 401 Unauthorized");
        await curl.SeesAsync("WWW-Authenticate: Negotiate");
        await curl.SeesAsync("HTTP/1.1 200 OK");
        await curl.SeesAsync("""{"subscribers":[{"uid":"uid-bob",""");
        await curl.SeesAsync("connections: 1");
        Assert.Equal(0, await curl.EndedAsync());
    }

    [Fact]
    public async Task An_upgrade_is_answered_401_then_101_with_the_server_s_proof()
    {
        await using var curl = Curl(
            "--anyauth", "-v", "-N", "--http1.1", "-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-H", "Sec-WebSocket-Version: 13", "-H",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", kerberos.Server.Address("localhost", "/pubsub").AbsoluteUri);

        // Its standard output is of no use here: without a body curl keeps the headers back.
        await curl.SeesErrorAsync("< HTTP/1.1 401 Unauthorized");
        await curl.SeesErrorAsync("* Re-using existing connection #0");
        await curl.SeesErrorAsync("< HTTP/1.1 101 Switching Protocols");
        await curl.SeesErrorAsync("< WWW-Authenticate: Negotiate o");
        await curl.SeesErrorAsync("< Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    private ClientProcess Curl(params string[] arguments) =>
        ClientProcess.Start("/usr/bin/curl", ["--silent", "--show-error", "--user", ":", .. arguments], kerberos.Realm.ClientEnvironment(KerberosServer.NameOf("alice")));
}
