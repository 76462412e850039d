using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using StatusDaemon.Language;

namespace StatusDaemon.Imitation;

/// <summary>Whom one can be in the throwaway Kerberos realm of a first run; the server describes it in <c>sandbox/sandbox.json</c> below <c>STATE.path</c>.</summary>
internal sealed record SandboxLogins
{
    private const string KeytabSuffix = ".keytab";

    /// <summary>The krb5.conf that leads to its KDC.</summary>
    public required string Krb5Config { get; init; }

    /// <summary>Folder with a keytab for each subscriber, named <c>alice@REALM.keytab</c>, with percent signs for what is no file name.</summary>
    public required string Keytabs { get; init; }

    /// <summary>The port of its KDC, on 127.0.0.1.</summary>
    public int Port { get; init; }

    /// <summary>The subscribers that one can log in as, in order.</summary>
    public IReadOnlyList<string> Names => [.. Files.Keys.Order(StringComparer.Ordinal)];

    private Dictionary<string, string> Files => Directory.EnumerateFiles(Keytabs, "*" + KeytabSuffix)
        .ToDictionary(file => Uri.UnescapeDataString(Path.GetFileName(file)[..^KeytabSuffix.Length]));

    /// <summary>Finds the realm.</summary>
    /// <returns>Null where no sandbox was started, or it is half written.</returns>
    public static SandboxLogins? Find(string statePath)
    {
        try
        {
            var realm = JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(statePath, "sandbox", "sandbox.json")), WireJson.Default.SandboxLogins);
            return Directory.Exists(realm?.Keytabs) ? realm : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Whether its KDC is there: it lives and dies with the server.</summary>
    public async Task<bool> AnswersAsync(CancellationToken stop)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, Port, stop);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Makes this process that subscriber, for every ticket it will ask for.</summary>
    /// <exception cref="CommandFailedException">The sandbox has no such subscriber.</exception>
    public void LogInAs(string name)
    {
        // Compared with what the folder holds, so that a name is never a path.
        if (!Files.TryGetValue(name, out var keytab))
        {
            throw new CommandFailedException(Text.SandboxNoSuchName.With(name, string.Join(", ", Names)));
        }

        ClientKerberos.SetEnvironment("KRB5_CONFIG", Krb5Config);
        ClientKerberos.SetEnvironment("KRB5_CLIENT_KTNAME", "FILE:" + keytab);
        ClientKerberos.SetEnvironment("KRB5CCNAME", "MEMORY:");
    }
}
