using System.Diagnostics;
using StatusDaemon.Load;

namespace StatusDaemon.Bench;

/// <summary>The real program, for benches of the whole server.</summary>
internal static class BenchServer
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Starts it with a settings file.</summary>
    public static Process Start(string settings, string module = "up")
    {
        var server = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "statusd.dll"), module, "--config", settings]) { RedirectStandardOutput = true })!;
        server.OutputDataReceived += static (_, _) => { };
        server.BeginOutputReadLine();
        return server;
    }

    /// <summary>Waits until clients may come.</summary>
    public static async Task ReadyAsync(int port)
    {
        using var http = new HttpClient();
        for (var waited = Stopwatch.StartNew(); waited.Elapsed < Patience;)
        {
            if (await http.IsReadyAsync(new Uri($"http://127.0.0.1:{port}")))
            {
                return;
            }

            await Task.Delay(50);
        }

        throw new TimeoutException("The server did not get ready.");
    }
}
