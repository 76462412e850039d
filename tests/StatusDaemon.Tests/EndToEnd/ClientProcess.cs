using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Threading.Channels;

namespace StatusDaemon.EndToEnd;

/// <summary>A program that talks to the server in a test: python, curl, Chromium, our own test client. It ends with the test.</summary>
internal sealed partial class ClientProcess : IAsyncDisposable
{
    private const int Interrupt = 2;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process process;
    private readonly Lines output = new();
    private readonly Lines errors = new();

    private ClientProcess(ProcessStartInfo start)
    {
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => output.Take(line.Data);
        process.ErrorDataReceived += (_, line) => errors.Take(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Everything that it printed, standard output and error.</summary>
    public string Said => $"{output}\n{errors}";

    /// <summary>Starts a program.</summary>
    /// <param name="environment">Variables beside those of the tests, such as <see cref="KerberosRealm.ClientEnvironment"/>.</param>
    public static ClientProcess Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(program, arguments);
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return new ClientProcess(start);
    }

    /// <summary>Starts the client that was written from the protocol's document, <c>clients/client.py</c>; it is told what to do by <see cref="SayAsync"/>.</summary>
    public static ClientProcess Python(KerberosRealm realm, string user, StatusdProcess server, params string[] options) => Start(
        "/usr/bin/python3",
        [Path.Combine(AppContext.BaseDirectory, "EndToEnd", "clients", "client.py"), server.Address("localhost").GetLeftPart(UriPartial.Authority), .. options],
        realm.ClientEnvironment(KerberosServer.NameOf(user)));

    /// <summary>Starts <c>statusd test-client</c> with the settings of a server.</summary>
    public static ClientProcess TestClient(StatusdProcess server, IReadOnlyDictionary<string, string> environment, params string[] options) => Start(
        "dotnet",
        [Path.Combine(AppContext.BaseDirectory, "statusd.dll"), "test-client", "--config", server.SettingsPath, .. options],
        new Dictionary<string, string>(environment)
        {
            ["LC_ALL"] = "C.UTF-8",
            ["STATUSD_SERVICE__PORT"] = server.Port.ToString(CultureInfo.InvariantCulture),
            ["STATUSD_STATE__PATH"] = server.StatePath,
        });

    /// <summary>Writes a line to its standard input.</summary>
    public async Task SayAsync(string line)
    {
        await process.StandardInput.WriteLineAsync(line);
        await process.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Writes a line and reads the next that it prints.</summary>
    public async Task<string> AskAsync(string line)
    {
        await SayAsync(line);
        return await ReadAsync();
    }

    /// <summary>The next line of its standard output.</summary>
    public Task<string> ReadAsync() => SeesAsync(output, "");

    /// <summary>Reads its standard output up to a line that has this text.</summary>
    public Task<string> SeesAsync(string text) => SeesAsync(output, text);

    /// <summary>Reads its standard error up to a line that has this text.</summary>
    public Task<string> SeesErrorAsync(string text) => SeesAsync(errors, text);

    /// <summary>Ctrl-C.</summary>
    public void Signal()
    {
        if (Kill(process.Id, Interrupt) != 0)
        {
            throw new InvalidOperationException("The process could not be signalled.");
        }
    }

    /// <summary>Waits until it has ended by itself and all that it printed is here.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> EndedAsync()
    {
        await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience, TestContext.Current.CancellationToken);
        return process.ExitCode;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }

        process.Dispose();
    }

    private async Task<string> SeesAsync(Lines lines, string text)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            await foreach (var line in lines.ReadAsync(patience.Token))
            {
                if (line.Contains(text, StringComparison.Ordinal))
                {
                    return line;
                }
            }
        }
        catch (OperationCanceledException e)
        {
            throw new TimeoutException($"It has not said '{text}' yet: {Said}", e);
        }

        throw new InvalidOperationException($"It ended and never said '{text}': {Said}");
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);

    /// <summary>The lines of one stream: all of them to look back, and each once to await.</summary>
    private sealed class Lines
    {
        private readonly ConcurrentQueue<string> all = new();
        private readonly Channel<string> next = Channel.CreateUnbounded<string>();

        public void Take(string? line)
        {
            if (line is null)
            {
                next.Writer.Complete();
                return;
            }

            all.Enqueue(line);
            next.Writer.TryWrite(line);
        }

        public IAsyncEnumerable<string> ReadAsync(CancellationToken stop) => next.Reader.ReadAllAsync(stop);

        public override string ToString() => string.Join('\n', all);
    }
}
