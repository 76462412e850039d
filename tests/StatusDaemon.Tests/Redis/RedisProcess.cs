using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using StackExchange.Redis;
using StatusDaemon.EndToEnd;
using StatusDaemon.Load;
using StatusDaemon.Settings;

namespace StatusDaemon.Redis;

/// <summary>A real redis-server on a free port, with a temporary folder: Debian's, as users run it. It can be killed and started again over what it left.</summary>
internal sealed partial class RedisProcess : IAsyncDisposable
{
    /// <summary>Options of a server that keeps all that it acknowledged through kill -9, and tells of changes.</summary>
    public static readonly string[] Durable = ["--appendonly", "yes", "--appendfsync", "everysec", "--notify-keyspace-events", "KA"];

    private const string Password = "open sesame";

    private readonly string folder = Directory.CreateTempSubdirectory("statusd-redis-").FullName;
    private readonly string[] options;
    private readonly string? sentinel;
    private Process? process;
    private ConnectionMultiplexer? connection;

    /// <param name="sentinel">Lines of a sentinel's file; null for a server.</param>
    private RedisProcess(string[] options, string? sentinel)
    {
        this.options = options;
        this.sentinel = sentinel;
    }

    /// <summary>Its TCP port on 127.0.0.1; the same after a restart.</summary>
    public int Port { get; } = FreePorts.Next();

    /// <summary>Its port for TLS, if it has one.</summary>
    public int TlsPort { get; private init; }

    /// <summary>Its folder.</summary>
    public string Folder => folder;

    /// <summary>How to reach it, with the defaults of everything else.</summary>
    public RedisOptions Options => new() { Port = Port };

    /// <summary>How the daemon reaches one that was started with TLS.</summary>
    public RedisOptions TlsOptions(LocalCertificate certificate) => new()
    {
        Port = TlsPort,
        Tls = true,
        TlsAuthority = certificate.Path,
        TlsCertificate = certificate.Path,
        TlsKey = certificate.KeyPath,
        Password = new Secret(Password),
    };

    /// <summary>For commands, as any other program gives them.</summary>
    public IDatabase Commands => connection!.GetDatabase();

    /// <summary>For commands of an administrator.</summary>
    public IServer Server => connection!.GetServer(IPAddress.Loopback, Port); // in a cluster the connection finds all others too

    /// <summary>Starts one with these options of its command line; returns when it answers.</summary>
    public static async Task<RedisProcess> StartAsync(params string[] options)
    {
        var server = new RedisProcess(options, sentinel: null);
        server.Launch();
        await server.ConnectAsync(_ => { });
        return server;
    }

    /// <summary>Starts one that speaks TLS too, asks who comes so for a certificate, and wants a password.</summary>
    public static async Task<RedisProcess> StartTlsAsync(LocalCertificate certificate)
    {
        var port = FreePorts.Next();
        string[] options =
        [
            .. Durable, "--requirepass", Password, "--tls-port", port.ToString(CultureInfo.InvariantCulture), "--tls-cert-file", certificate.Path, "--tls-key-file", certificate.KeyPath, "--tls-ca-cert-file",
            certificate.Path,
        ];
        var server = new RedisProcess(options, sentinel: null) { TlsPort = port };
        server.Launch();
        await server.ConnectAsync(client => client.Password = Password);
        return server;
    }

    /// <summary>Starts a sentinel that looks after a primary under the name <c>main</c>, and after its replicas.</summary>
    public static async Task<RedisProcess> StartSentinelAsync(RedisProcess primary)
    {
        var sentinel = new RedisProcess([], string.Create(CultureInfo.InvariantCulture, $"""
            sentinel monitor main 127.0.0.1 {primary.Port} 1
            sentinel down-after-milliseconds main 500
            sentinel failover-timeout main 2000

            """));
        sentinel.Launch();
        await sentinel.ConnectAsync(client => client.CommandMap = CommandMap.Sentinel);
        return sentinel;
    }

    /// <summary>Waits until a sentinel knows the replica of its primary: before that it can promote none.</summary>
    public async Task KnowsReplicaAsync()
    {
        while (!string.Join(' ', (string[])(await Server.ExecuteAsync("SENTINEL", "MASTER", "main"))!).Contains("num-slaves 1", StringComparison.Ordinal))
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Gives commands to this very server, as a program that knows nothing of its cluster.</summary>
    /// <returns>The answer to each: a line as Redis writes it, or the value.</returns>
    public async Task<string[]> TellAsync(params string[] commands)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, Port, TestContext.Current.CancellationToken);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.UTF8.GetBytes(string.Concat(commands.Select(command => command + "\r\n"))), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);
        var answers = new string[commands.Length];
        for (var i = 0; i < answers.Length; i++)
        {
            var line = await LineAsync();
            answers[i] = line is ['$', not '-', ..] ? await LineAsync() : line;
        }

        return answers;

        async Task<string> LineAsync() => await reader.ReadLineAsync(TestContext.Current.CancellationToken) ?? throw new IOException("The server has hung up.");
    }

    /// <summary>Whether it is a replica that has all that its primary sent.</summary>
    public async Task<bool> ReplicatesAsync() => await ReplicationAsync("master_link_status") == "up";

    /// <summary>Waits until this replica has what its primary had at the call.</summary>
    public async Task CatchesUpWithAsync(RedisProcess primary)
    {
        var offset = long.Parse((await primary.ReplicationAsync("master_repl_offset"))!, CultureInfo.InvariantCulture);
        while (long.Parse(await ReplicationAsync("slave_repl_offset") ?? "0", CultureInfo.InvariantCulture) < offset)
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Whether it is a primary, of a replica or of none.</summary>
    public async Task<bool> IsPrimaryAsync() => await ReplicationAsync("role") == "master";

    /// <summary>Starts it again over what it left; returns when it answers.</summary>
    public async Task StartAgainAsync()
    {
        Launch();
        await AnswersAsync();
    }

    /// <summary>Ends it as a power cut would, but for what the kernel has of its files.</summary>
    public async Task KillAsync()
    {
        process!.Kill();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Takes it off the processor.</summary>
    public void Suspend() => Signal(19); // SIGSTOP

    /// <summary>Lets it go on.</summary>
    public void Resume() => Signal(18); // SIGCONT

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (connection is not null)
        {
            await connection.DisposeAsync();
        }

        if (process is { HasExited: false })
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }

        process?.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>A line of what it says of its part in replication; null where there is none.</summary>
    private async Task<string?> ReplicationAsync(string line) =>
        (await Server.InfoAsync("replication")).SelectMany(section => section).FirstOrDefault(one => one.Key == line).Value;

    private void Launch()
    {
        var start = new ProcessStartInfo(sentinel is null ? "redis-server" : "redis-sentinel") { WorkingDirectory = folder, RedirectStandardOutput = true };
        var config = Path.Combine(folder, "redis.conf");
        if (!File.Exists(config))
        {
            File.WriteAllText(config, sentinel ?? ""); // a sentinel writes into it what it learns
        }

        string[] arguments = [config, "--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", folder, .. sentinel is null ? ["--save", "", "--repl-diskless-sync-delay", "0"] : Array.Empty<string>(), .. options];
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        process?.Dispose();
        process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
    }

    private async Task ConnectAsync(Action<ConfigurationOptions> client)
    {
        var configuration = new ConfigurationOptions
        {
            AbortOnConnectFail = false,
            AllowAdmin = true,
            ConnectTimeout = 500,
            ReconnectRetryPolicy = new LinearRetry(50),
            HeartbeatInterval = TimeSpan.FromMilliseconds(100),
            TieBreaker = "",
            EndPoints = { new IPEndPoint(IPAddress.Loopback, Port) },
        };
        client(configuration);
        connection = await ConnectionMultiplexer.ConnectAsync(configuration);
        await AnswersAsync();
    }

    /// <summary>Asks until it answers; that it does is the event.</summary>
    private async Task AnswersAsync()
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(20));
        while (true)
        {
            if (process!.HasExited)
            {
                throw new InvalidOperationException($"Redis ended with {process.ExitCode}.");
            }

            try
            {
                await Server.PingAsync();
                return;
            }
            catch (Exception e) when (e is RedisException or TimeoutException)
            {
                await Task.Delay(20, patience.Token);
            }
        }
    }

    private void Signal(int number)
    {
        if (Kill(process!.Id, number) != 0)
        {
            throw new InvalidOperationException("The process could not be signalled.");
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
