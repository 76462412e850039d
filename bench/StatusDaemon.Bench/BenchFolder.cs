using System.Net.WebSockets;
using System.Security.Cryptography;
using StatusDaemon.Auth;
using StatusDaemon.Load;

namespace StatusDaemon.Bench;

/// <summary>A folder with the settings of a server whose key the bench has, so that it makes the tickets of its clients by itself.</summary>
internal sealed class BenchFolder : IDisposable
{
    private const string Service = "HTTP/bench.test";

    private readonly string path = Directory.CreateTempSubdirectory("statusd-bench-").FullName;
    private readonly byte[] key = RandomNumberGenerator.GetBytes(32);

    private BenchFolder()
    {
    }

    /// <summary>The server's port on loopback.</summary>
    public int Port { get; } = FreePorts.Next();

    /// <summary>Path of the settings file.</summary>
    public string Settings => Path.Combine(path, "settings.yml");

    /// <summary>Path of the directory file, which a bench may write.</summary>
    public string DirectoryFile => Path.Combine(path, "directory.yml");

    /// <summary>Makes it.</summary>
    /// <param name="sections">Of the settings, beside AUTH, SERVICE and STATE.</param>
    public static async Task<BenchFolder> CreateAsync(string sections)
    {
        var folder = new BenchFolder();
        await File.WriteAllBytesAsync(Path.Combine(folder.path, "keytab"), ForgedTicket.Keytab(folder.key, 1, Service));
        await File.WriteAllTextAsync(folder.Settings, $$"""
            AUTH: { keytab: keytab, servicename: HTTP@bench.test }
            SERVICE: { port: {{folder.Port}} }
            STATE: { path: var }

            """ + sections);
        return folder;
    }

    /// <summary>Logs a client in.</summary>
    /// <param name="name">The user part of its principal.</param>
    public Task ConnectAsync(ClientWebSocket socket, string name)
    {
        var ticket = ForgedTicket.Good(key) with { Service = Service, Client = name };
        socket.Options.SetRequestHeader("Authorization", $"Negotiate {Convert.ToBase64String(ticket.ToToken())}");
        return socket.ConnectAsync(new Uri($"ws://127.0.0.1:{Port}/pubsub"), CancellationToken.None);
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(path, recursive: true);
}
