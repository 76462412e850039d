using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace StatusDaemon.Chaos;

/// <summary>A process on a host of its own, which can be killed, asked to end, put to sleep, and started again over what it left.</summary>
internal sealed partial class Member : IDisposable
{
    /// <summary>What a member says that has met what must not be, whatever happens around it: docs/operations.md, "Log events".</summary>
    private static readonly string[] Broken = [" 2102 ", " 3005 ", " 3103 ", " 4109 ", "Unhandled exception"];

    private readonly ProcessStartInfo start;
    private readonly Lock gate = new();
    private readonly string logPath;
    private Process? process;
    private volatile bool isAsked;
    private volatile bool isUp;

    /// <param name="command">The program and its arguments.</param>
    /// <param name="logPath">Where all that it prints goes, from all its lives.</param>
    public Member(NetworkHost host, IEnumerable<string> command, IReadOnlyDictionary<string, string> environment, string logPath)
    {
        Host = host;
        this.logPath = logPath;
        start = new ProcessStartInfo("ip", ["netns", "exec", host.Namespace, .. command]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }
    }

    /// <summary>Where it runs.</summary>
    public NetworkHost Host { get; }

    /// <summary>Whether it runs, asleep or not.</summary>
    public bool Runs => process is { HasExited: false };

    /// <summary>Whether it has ended without being asked to.</summary>
    public bool HasFailed => process is { HasExited: true } && !isAsked;

    /// <summary>Whether a module of ours runs and has said that it is up.</summary>
    public bool IsUp => Runs && isUp;

    /// <summary>Its name, for people.</summary>
    public string Name => Host.Name;

    /// <summary>Lines in which it said that it has met what must not be.</summary>
    public ConcurrentQueue<string> Failures { get; } = new();

    /// <summary>Starts it, and waits for nothing.</summary>
    public void Start()
    {
        isUp = false;
        var next = new Process { StartInfo = start };
        next.OutputDataReceived += (_, line) => Take(line.Data);
        next.ErrorDataReceived += (_, line) => Take(line.Data);
        next.Start();
        next.BeginOutputReadLine();
        next.BeginErrorReadLine();
        process = next; // the one before is not disposed: others may be looking at it
        isAsked = false;
    }

    /// <summary>Ends it as kill -9 does.</summary>
    public Task KillAsync() => EndAsync(9);

    /// <summary>Asks it to end, as a service manager does.</summary>
    public Task StopAsync() => EndAsync(15);

    /// <summary>Takes it off the processor.</summary>
    public void Suspend() => Signal(19);

    /// <summary>Lets it go on.</summary>
    public void Resume() => Signal(18);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Runs)
        {
            process!.Kill();
            process.WaitForExit();
        }

        process?.Dispose();
    }

    private async Task EndAsync(int signal)
    {
        isAsked = true;
        Signal(signal);
        await process!.WaitForExitAsync();
    }

    private void Signal(int number)
    {
        if (Runs && Kill(process!.Id, number) != 0)
        {
            throw new InvalidOperationException($"{Name} could not be signalled.");
        }
    }

    private void Take(string? line)
    {
        if (line is not null)
        {
            lock (gate)
            {
                File.AppendAllLines(logPath, [line]); // at once: whoever ends this program wants to know
            }

            if (Broken.Any(id => line.Contains(id, StringComparison.Ordinal)))
            {
                Failures.Enqueue(line);
            }

            isUp |= line.StartsWith("The daemon is up", StringComparison.Ordinal) || line.StartsWith("status-daemon is up", StringComparison.Ordinal);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
