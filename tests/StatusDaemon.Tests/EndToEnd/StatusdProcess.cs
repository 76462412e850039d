using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using StatusDaemon.Load;

namespace StatusDaemon.EndToEnd;

/// <summary>The real program with a folder of its own: settings, directory, state. It can be killed and started again over what it left.</summary>
internal sealed partial class StatusdProcess : IListening, IAsyncDisposable
{
    /// <summary>Subscribers of most scenarios; each test may write its own.</summary>
    public const string Directory = """
        subscribers:
          - { uid: uid-a, dname: a@ALPHA.TEST, numbers: ["1001"], domain: alpha.test, name: A }
          - { uid: uid-b, dname: b@ALPHA.TEST, numbers: ["1002"], domain: alpha.test, name: B }
          - { uid: uid-c, dname: c@ALPHA.TEST, numbers: ["1003"], domain: alpha.test, name: C }

        """;

    /// <summary>Settings under which the header says who one is, so that a test needs no ticket.</summary>
    public const string TrustedHeader = "AUTH: { mode: trusted-header }";

    private readonly string folder;
    private readonly bool ownsFolder;
    private readonly string module = "up";
    private readonly ConcurrentQueue<string> output = new();
    private readonly List<(string Text, TaskCompletionSource Seen)> awaited = [];
    private readonly Lock gate = new();
    private readonly IReadOnlyDictionary<string, string> environment;
    private Process? process;

    private readonly LocalCertificate? certificate;
    private readonly int? openFiles;

    private StatusdProcess(IReadOnlyDictionary<string, string> environment, LocalCertificate? certificate = null, int? openFiles = null)
    {
        folder = System.IO.Directory.CreateTempSubdirectory("statusd-e2e-").FullName;
        ownsFolder = true;
        this.environment = environment;
        this.certificate = certificate;
        this.openFiles = openFiles;
    }

    private StatusdProcess(StatusdProcess beside, string module, IReadOnlyDictionary<string, string> environment, LocalCertificate? certificate)
    {
        folder = beside.folder;
        this.module = module;
        this.environment = environment;
        this.certificate = certificate;
    }

    /// <inheritdoc/>
    /// <remarks>The same after a restart.</remarks>
    public int Port { get; } = FreePorts.Next();

    /// <inheritdoc/>
    public bool IsTls => certificate is not null;

    /// <summary>Where it is, for a client that knows it by this name.</summary>
    public Uri Address(string host, string path = "/") => new UriBuilder(IsTls ? "https" : "http", host, Port, path).Uri;

    /// <summary>Path of the settings file.</summary>
    public string SettingsPath => Path.Combine(folder, "settings.yml");

    /// <summary>Path of the directory file.</summary>
    public string DirectoryPath => Path.Combine(folder, "directory.yml");

    /// <summary><c>STATE.path</c>.</summary>
    public string StatePath => Path.Combine(folder, "var");

    /// <summary>Everything that it printed, standard output and error together.</summary>
    public string Output => string.Join('\n', output);

    /// <summary>The process that runs now.</summary>
    public Process Process => process ?? throw new InvalidOperationException("It does not run.");

    /// <summary>Writes the files and starts the program; returns when it is ready.</summary>
    /// <param name="settings">Sections, one a line or more; <c>SERVICE.port</c> and the paths come from the environment.</param>
    /// <param name="environment">More variables, such as <c>KRB5_CONFIG</c>.</param>
    /// <param name="certificate">Makes it speak TLS.</param>
    /// <param name="openFiles">How many files it may have open, where they are to be few.</param>
    public static async Task<StatusdProcess> StartAsync(
        string settings, string directory = Directory, IReadOnlyDictionary<string, string>? environment = null, LocalCertificate? certificate = null, int? openFiles = null)
    {
        var server = new StatusdProcess(environment ?? new Dictionary<string, string>(), certificate, openFiles);
        await File.WriteAllTextAsync(server.SettingsPath, settings);
        await File.WriteAllTextAsync(server.DirectoryPath, directory);
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>Writes the files and starts the program, which waits for something.</summary>
    public static async Task<StatusdProcess> LaunchAsync(string settings, string directory)
    {
        var server = await PrepareAsync(settings, directory);
        server.Launch();
        return server;
    }

    /// <summary>Makes a folder with the files and starts nothing: for modules that run apart.</summary>
    public static async Task<StatusdProcess> PrepareAsync(string settings, string directory = Directory)
    {
        var server = new StatusdProcess(new Dictionary<string, string>());
        await File.WriteAllTextAsync(server.SettingsPath, settings);
        await File.WriteAllTextAsync(server.DirectoryPath, directory);
        return server;
    }

    /// <summary>Starts a module with the files and the state of this one.</summary>
    /// <param name="module">As on the command line, such as <c>daemon</c>.</param>
    public StatusdProcess Launch(string module, IReadOnlyDictionary<string, string>? environment = null, LocalCertificate? certificate = null)
    {
        var beside = new StatusdProcess(this, module, environment ?? new Dictionary<string, string>(), certificate);
        beside.Launch();
        return beside;
    }

    /// <summary>Starts the program with something that it can't start with.</summary>
    /// <returns>Its exit code, and what it printed; the paths of its folder read <c>~</c>.</returns>
    public static async Task<(int ExitCode, string Output)> FailAsync(
        string settings, string directory = Directory, IReadOnlyDictionary<string, string>? environment = null, int? openFiles = null)
    {
        await using var server = new StatusdProcess(environment ?? new Dictionary<string, string>(), openFiles: openFiles);
        await File.WriteAllTextAsync(server.SettingsPath, settings);
        await File.WriteAllTextAsync(server.DirectoryPath, directory);
        server.Launch();
        var exitCode = await server.EndedAsync();
        return (exitCode, server.Output.Replace(server.folder, "~", StringComparison.Ordinal));
    }

    /// <summary>Starts the program, and asks it to end as soon as it has opened its store; returns when it has ended.</summary>
    public static async Task<StatusdProcess> StopWhenStoreOpensAsync(string settings)
    {
        var server = await PrepareAsync(settings);
        System.IO.Directory.CreateDirectory(server.StatePath);
        var opened = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var watcher = new FileSystemWatcher(server.StatePath) { EnableRaisingEvents = true };
        watcher.Created += (_, _) => opened.TrySetResult();
        server.Launch();
        await opened.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        await server.StopAsync();
        return server;
    }

    /// <summary>Starts the program over what the last run left; returns when it is ready.</summary>
    public async Task StartAgainAsync()
    {
        Launch();
        await ReadyAsync();
    }

    /// <summary>What <c>/readyz</c> says.</summary>
    public async Task<string> AskReadyAsync(HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri($"http://127.0.0.1:{Port}/readyz"), TestContext.Current.CancellationToken);
        Assert.Equal(expected, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Memory of the process that is in RAM, in bytes.</summary>
    public long ResidentBytes()
    {
        Process.Refresh();
        return Process.WorkingSet64;
    }

    /// <summary>Starts the program, and waits for nothing.</summary>
    public void Launch()
    {
        var start = new ProcessStartInfo(openFiles is null ? "dotnet" : "prlimit") { RedirectStandardOutput = true, RedirectStandardError = true };
        if (openFiles is { } files)
        {
            start.ArgumentList.Add($"--nofile={files}:{files}");
            start.ArgumentList.Add("dotnet");
        }

        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "statusd.dll"));
        start.ArgumentList.Add(module);
        start.ArgumentList.Add("--config");
        start.ArgumentList.Add(SettingsPath);
        start.Environment["LC_ALL"] = "C.UTF-8";
        start.Environment["STATUSD_SERVICE__PORT"] = Port.ToString(CultureInfo.InvariantCulture);
        start.Environment["STATUSD_STATE__PATH"] = StatePath;
        start.Environment["STATUSD_PRIVILEGES__FILE"] = DirectoryPath;
        if (certificate is not null)
        {
            start.Environment["STATUSD_SERVICE__TLS__CERTIFICATE"] = certificate.Path;
            start.Environment["STATUSD_SERVICE__TLS__KEY"] = certificate.KeyPath;
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Take(line.Data);
        process.ErrorDataReceived += (_, line) => Take(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Waits for a line of the log, also one that came already.</summary>
    public Task SeesAsync(string text)
    {
        lock (gate)
        {
            if (output.Any(line => line.Contains(text, StringComparison.Ordinal)))
            {
                return Task.CompletedTask;
            }

            var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            awaited.Add((text, seen));
            return seen.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Replaces the directory by rename, as good editors do.</summary>
    public async Task WriteDirectoryAsync(string directory)
    {
        await File.WriteAllTextAsync(DirectoryPath + ".new", directory);
        File.Move(DirectoryPath + ".new", DirectoryPath, overwrite: true);
    }

    /// <summary>Ends it without a word, as a power cut does.</summary>
    public async Task KillAsync()
    {
        Process.Kill();
        await EndedAsync();
    }

    /// <summary>Asks it to end, as a service manager does, or whoever types Ctrl-C.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> StopAsync(PosixSignal signal = PosixSignal.SIGTERM)
    {
        Signal(signal == PosixSignal.SIGINT ? 2 : 15);
        return await EndedAsync();
    }

    /// <summary>Takes it off the processor, as a freezer, a paused virtual machine or a debugger does: its clocks go on, and it does nothing. Returns when none of its threads runs.</summary>
    public void Suspend()
    {
        Signal(19); // SIGSTOP
        SpinWait.SpinUntil(() => System.IO.Directory.EnumerateDirectories($"/proc/{Process.Id}/task").All(IsStopped));

        // PID (NAME) STATE …
        static bool IsStopped(string thread) => File.ReadAllText(Path.Combine(thread, "stat")) is var line && line[line.LastIndexOf(')') + 2] == 'T';
    }

    /// <summary>Lets it go on after <see cref="Suspend"/>.</summary>
    public void Resume() => Signal(18); // SIGCONT

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false })
        {
            await KillAsync();
        }

        process?.Dispose();
        if (ownsFolder)
        {
            System.IO.Directory.Delete(folder, recursive: true);
        }
    }

    private void Take(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (gate)
        {
            output.Enqueue(line);
            foreach (var (_, seen) in awaited.Where(wait => line.Contains(wait.Text, StringComparison.Ordinal)))
            {
                seen.TrySetResult();
            }
        }
    }

    /// <summary>Waits for its end.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> EndedAsync()
    {
        await Process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        return Process.ExitCode;
    }

    /// <summary>Asks until it says that it is ready; that it says so is the event, and asking the only way to hear it.</summary>
    public async Task ReadyAsync()
    {
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator };
        using var http = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(5) };
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            if (Process.HasExited)
            {
                throw new InvalidOperationException($"It did not start: {Output}");
            }

            try
            {
                using var answer = await http.GetAsync(Address("127.0.0.1", "/readyz"), patience.Token);
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            await Task.Delay(20, patience.Token);
        }
    }

    private void Signal(int number)
    {
        if (Kill(Process.Id, number) != 0)
        {
            throw new InvalidOperationException("The process could not be signalled.");
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
