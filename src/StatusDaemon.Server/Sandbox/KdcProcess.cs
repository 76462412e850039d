using System.ComponentModel;
using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace StatusDaemon.Sandbox;

/// <summary>The sandbox's KDC: a child that is started again when it ends, and that cannot outlive the server.</summary>
/// <remarks>
/// <c>setpriv --pdeathsig</c> has the kernel kill it when its parent dies, also by kill -9. The kernel means the parent's <em>thread</em>:
/// a KDC started on the pool would die with the first idle worker. So a thread of its own starts it and waits for it. <c>setsid</c> keeps a
/// Ctrl-C in the terminal, which is for the server to handle, from it.
/// </remarks>
internal sealed partial class KdcProcess : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly ProcessStartInfo start;
    private readonly ILogger log;
    private readonly TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource stopping = new();

    private KdcProcess(IEnumerable<string> realms, IReadOnlyDictionary<string, string> environment, ILogger log)
    {
        this.log = log;
        start = SandboxTools.Command("setpriv", ["--pdeathsig", "KILL", "setsid", SandboxTools.Find("krb5kdc"), "-n", .. realms.SelectMany(realm => (string[])["-r", realm])], environment);
    }

    /// <summary>Starts it and waits until it answers.</summary>
    /// <exception cref="SandboxException">It ended at once; the message has its own words.</exception>
    public static async Task<KdcProcess> StartAsync(IEnumerable<string> realms, IReadOnlyDictionary<string, string> environment, ILogger log, CancellationToken stop)
    {
        var kdc = new KdcProcess(realms, environment, log);
        new Thread(kdc.Run) { IsBackground = true, Name = "sandbox KDC" }.Start();
        try
        {
            await kdc.ready.Task.WaitAsync(stop);
            return kdc;
        }
        catch
        {
            await kdc.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await ended.Task;
        stopping.Dispose();
    }

    private void Run()
    {
        try
        {
            do
            {
                try
                {
                    RunOnce();
                }
                catch (Win32Exception e)
                {
                    Report(e.NativeErrorCode, e.Message);
                }
            }
            while (ready.Task.IsCompletedSuccessfully && !stopping.Token.WaitHandle.WaitOne(Pause));
        }
        finally
        {
            ended.SetResult();
        }
    }

    private void RunOnce()
    {
        var words = "";
        using var kdc = SandboxTools.Start(start);
        using (stopping.Token.Register(kdc.Kill))
        {
            kdc.StandardInput.Close();
            while (kdc.StandardError.ReadLine() is { } line)
            {
                // Said once the sockets listen.
                if (line.EndsWith("starting...", StringComparison.Ordinal))
                {
                    ready.TrySetResult();
                    continue;
                }

                words = line;
            }

            kdc.WaitForExit();
        }

        Report(kdc.ExitCode, words);
    }

    /// <summary>The end of the first try is the starter's to handle; later ones are only told.</summary>
    private void Report(int code, string words)
    {
        if (!ready.TrySetException(new SandboxException($"The sandbox's KDC does not start: {words}")) && !stopping.IsCancellationRequested)
        {
            LogEnded(code, words);
        }
    }

    [LoggerMessage(1703, LogLevel.Warning, "The sandbox's KDC ended with {Code} and is started again: {Words}")]
    private partial void LogEnded(int code, string words);
}
