using System.Diagnostics;
using System.Text.Json;

namespace StatusDaemon.Load;

/// <summary>A process that plays one part of a scenario. It gets a line for each step, and answers with a <see cref="CrowdReport"/>.</summary>
internal sealed class CrowdProcess : IDisposable
{
    private readonly Process process;

    /// <summary>Starts it; it connects nobody yet.</summary>
    public CrowdProcess(CrowdOrder order)
    {
        process = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "StatusDaemon.Load.dll"), LoadCommand.Crowd])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        process.StandardInput.WriteLine(JsonSerializer.Serialize(order, LoadJson.Default.CrowdOrder));
        process.StandardInput.Flush();
    }

    /// <summary>Asks for a step.</summary>
    public async Task AskAsync(string step)
    {
        await process.StandardInput.WriteLineAsync(step);
        await process.StandardInput.FlushAsync();
    }

    /// <summary>Waits for the next report.</summary>
    public async Task<CrowdReport> HearAsync(string what)
    {
        var line = await process.StandardOutput.ReadLineAsync() ?? throw new LoadException("a process of the crowd ended; its words are above");
        var report = JsonSerializer.Deserialize(line, LoadJson.Default.CrowdReport)!;
        return report.What == what ? report : throw new InvalidOperationException($"A crowd said {report.What}, not {what}.");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        process.StandardInput.Close(); // it ends when there is nothing more to do
        if (!process.WaitForExit(TimeSpan.FromSeconds(10)))
        {
            process.Kill();
        }

        process.Dispose();
    }
}
