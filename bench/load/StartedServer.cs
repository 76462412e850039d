using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace StatusDaemon.Load;

/// <summary>A server that this program starts for one run, in a folder that goes with it.</summary>
internal sealed class StartedServer : IAsyncDisposable
{
    /// <summary>What says who one is where a server trusts it.</summary>
    public const string UidHeader = "X-Status-Uid: %s";

    /// <summary>What <c>./statusd</c> sets too.</summary>
    private static readonly (string Name, string Value) Gen0Size = ("DOTNET_GCgen0size", "0x2000000");

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string folder = Directory.CreateTempSubdirectory("statusd-load-").FullName;
    private readonly int port = FreePorts.Next();
    private readonly string name;
    private readonly ConcurrentQueue<string> complaints = new();
    private readonly List<Process> processes = [];

    private StartedServer(string name) => this.name = name;

    /// <summary>Where it is.</summary>
    public Target Target => new(name, DialectName.Statusd, new Uri($"ws://127.0.0.1:{port}/pubsub"), [UidHeader], [.. processes.Select(process => process.Id)]);

    /// <summary>Its warnings and errors, as far as they have come.</summary>
    public IReadOnlyCollection<string> Complaints => complaints;

    /// <summary>Starts <c>statusd up</c> with an empty directory and a store of its own, believing the header.</summary>
    /// <param name="program">Path of <c>statusd.dll</c>.</param>
    public static Task<StartedServer> StatusdAsync(string program) => StartAsync("statusd", async server => [await server.PrepareAsync(program, "up")], saysReady: true);

    /// <summary>Starts the same as a daemon and a gateway in processes of their own.</summary>
    /// <inheritdoc cref="StatusdAsync"/>
    public static Task<StartedServer> ApartAsync(string program) => StartAsync("statusd apart", async server => [await server.PrepareAsync(program, "daemon"), await server.PrepareAsync(program, "ws-server")], saysReady: true);

    /// <summary>Compiles the floor and starts it.</summary>
    public static Task<StartedServer> FloorAsync() => StartAsync("floor", async server =>
    {
        var program = Path.Combine(server.folder, "floor");
        await CompileAsync(Path.Combine(AppContext.BaseDirectory, "floor.c"), program);
        return [new ProcessStartInfo(program, [server.port.ToString(CultureInfo.InvariantCulture)])];
    });

    /// <summary>Starts the Kestrel peer.</summary>
    public static Task<StartedServer> KestrelAsync() => StartAsync("kestrel", server => Task.FromResult<ProcessStartInfo[]>(
        [new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "StatusDaemon.Load.dll"), LoadCommand.KestrelPeer, server.port.ToString(CultureInfo.InvariantCulture)])]));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var process in processes)
        {
            // Nothing of it is of use any more, so it need not drain.
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }

        Directory.Delete(folder, recursive: true);
    }

    /// <param name="saysReady">Whether it is ready when it says so; else when it takes connections.</param>
    private static async Task<StartedServer> StartAsync(string name, Func<StartedServer, Task<ProcessStartInfo[]>> how, bool saysReady = false)
    {
        var server = new StartedServer(name);
        try
        {
            foreach (var start in await how(server))
            {
                server.Start(start);
            }

            await server.ReadyAsync(saysReady);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    private async Task<ProcessStartInfo> PrepareAsync(string program, string module)
    {
        var settings = Path.Combine(folder, "settings.yml");
        await File.WriteAllTextAsync(settings, $$"""
            AUTH: { mode: trusted-header }
            SERVICE: { port: {{port}}, limits: { messages: 1000000 } }
            STATE: { path: {{folder}}/var }
            PRIVILEGES: { file: {{folder}}/directory.yml }
            LOG: { level: warning }
            """);
        await File.WriteAllTextAsync(Path.Combine(folder, "directory.yml"), "subscribers: []\n");
        var start = new ProcessStartInfo("dotnet", [program, module, "--config", settings]);
        start.Environment.TryAdd(Gen0Size.Name, Gen0Size.Value);
        return start;
    }

    private void Start(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = true; // what it says is not part of the result; what it complains of is
        start.RedirectStandardError = true;
        var process = Process.Start(start)!;
        processes.Add(process);
        process.OutputDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.ErrorDataReceived += (_, line) => Hear(line.Data);
        process.BeginErrorReadLine();
    }

    private void Hear(string? line)
    {
        if (!string.IsNullOrEmpty(line))
        {
            complaints.Enqueue(line);
            Console.Error.WriteLine(line);
        }
    }

    private static async Task CompileAsync(string source, string program)
    {
        try
        {
            using var compiler = Process.Start("cc", ["-O2", "-o", program, source]);
            await compiler.WaitForExitAsync();
            if (compiler.ExitCode != 0)
            {
                throw new LoadException($"cc could not compile {source}");
            }
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new LoadException("the floor needs a C compiler, and there is no cc: apt-get install gcc libc6-dev");
        }
    }

    private async Task ReadyAsync(bool saysReady)
    {
        using var http = new HttpClient();
        for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < Patience; await Task.Delay(50))
        {
            if (processes.Find(process => process.HasExited) is { } ended)
            {
                throw new LoadException($"{name} ended with exit code {ended.ExitCode} as it started");
            }

            if (await (saysReady ? http.IsReadyAsync(new Uri($"http://127.0.0.1:{port}")) : IsListeningAsync()))
            {
                return;
            }
        }

        throw new LoadException($"{name} is not ready after {Patience.TotalSeconds:F0} s");
    }

    private async Task<bool> IsListeningAsync()
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
