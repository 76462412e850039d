using System.Diagnostics;
using System.Text.Json.Nodes;
using StatusDaemon.Names;

namespace StatusDaemon.EndToEnd;

/// <summary>A client that is not ours: Debian's python3-gssapi in a process of its own, asked for tokens and shown the server's replies.</summary>
public sealed class ForeignClient : IAsyncDisposable
{
    private const string Script = """
        import base64, json, sys, gssapi
        contexts = {}
        for line in sys.stdin:
            ask = json.loads(line)
            if "reply" in ask:
                context = contexts.pop(ask["id"])
                try:
                    context.step(base64.b64decode(ask["reply"]))
                    print(json.dumps({"complete": context.complete}), flush=True)
                except gssapi.exceptions.GSSError as error:
                    print(json.dumps({"complete": False, "error": str(error)}), flush=True)
            else:
                flags = gssapi.RequirementFlag.mutual_authentication if ask["mutual"] else 0
                context = gssapi.SecurityContext(
                    name=gssapi.Name(ask["service"], gssapi.NameType.hostbased_service),
                    mech=gssapi.OID.from_int_seq("1.3.6.1.5.5.2" if ask["spnego"] else "1.2.840.113554.1.2.2"),
                    flags=flags, usage="initiate")
                token = context.step()
                contexts[ask["id"]] = context
                print(json.dumps({"token": base64.b64encode(token).decode()}), flush=True)
        """;

    private readonly Process python;
    private int asked;

    /// <param name="realm">The realm where the client gets its ticket.</param>
    /// <param name="who">The principal that it is.</param>
    public ForeignClient(KerberosRealm realm, DName who)
    {
        var start = new ProcessStartInfo("/usr/bin/python3", ["-c", Script]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var (name, value) in realm.ClientEnvironment(who))
        {
            start.Environment[name] = value;
        }

        python = Process.Start(start)!;
    }

    /// <summary>Makes a fresh token for a service such as <c>HTTP@localhost</c>.</summary>
    /// <returns>The token, and a number for <see cref="VerifyAsync"/>.</returns>
    public async Task<(byte[] Token, int Id)> TokenAsync(string service, bool spnego = false, bool mutual = true)
    {
        var id = ++asked;
        var answer = await AskAsync(new JsonObject { ["id"] = id, ["service"] = service, ["spnego"] = spnego, ["mutual"] = mutual });
        return (Convert.FromBase64String((string)answer["token"]!), id);
    }

    /// <summary>Whether the client believes the server that replied so.</summary>
    public async Task<bool> VerifyAsync(int id, ReadOnlyMemory<byte> reply) =>
        (bool)(await AskAsync(new JsonObject { ["id"] = id, ["reply"] = Convert.ToBase64String(reply.Span) }))["complete"]!;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        python.StandardInput.Close();
        await python.WaitForExitAsync();
        python.Dispose();
    }

    private async Task<JsonNode> AskAsync(JsonObject ask)
    {
        await python.StandardInput.WriteLineAsync(ask.ToJsonString());
        await python.StandardInput.FlushAsync();
        var line = await python.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The python client ended; stderr has its words.");
        return JsonNode.Parse(line)!;
    }
}
