using StatusDaemon.Imitation;
using StatusDaemon.Language;

namespace StatusDaemon.CommandLine;

/// <summary>Runs the server until a signal ends it, and tells the one who started it what there is.</summary>
internal sealed class ServerRun(string defaultSettings, TextWriter output)
{
    /// <summary>Runs all modules in this process.</summary>
    /// <returns>0 when it was asked to end and did, 1 when a part of it failed.</returns>
    public async Task<int> UpAsync(string settingsPath, CancellationToken stop)
    {
        try
        {
            await using var server = await StatusdServer.CreateAsync(settingsPath, stop);
            await WriteAsync(settingsPath, await server.StartAsync(stop));
            return await server.WaitAsync(stop) ? 0 : 1;
        }
        catch (OperationCanceledException)
        {
            return 0; // asked to end before it was up
        }
        catch (StartException e)
        {
            throw new CommandFailedException(e.Message);
        }
    }

    /// <summary>Reads what a test client needs of the settings. A machine that has none runs clients all the same; a file that the user named must be there.</summary>
    public ClientDefaults ReadClientDefaults(string settingsPath)
    {
        if (settingsPath == defaultSettings && !File.Exists(settingsPath))
        {
            return new ClientDefaults("127.0.0.1", 8080, Tls: false, Path.GetFullPath("var"), []);
        }

        try
        {
            var read = ClientSettings.Read(settingsPath);
            return new ClientDefaults(read.Host, read.Port, read.Tls, read.StatePath, read.ServiceNames);
        }
        catch (StartException e)
        {
            throw new CommandFailedException(e.Message);
        }
    }

    private async Task WriteAsync(string settingsPath, StartReport report)
    {
        if (report.SandboxRealms.Count > 0)
        {
            await output.WriteLineAsync(Text.UpSandbox.With(string.Join(", ", report.SandboxRealms)));
        }

        await output.WriteLineAsync(Text.UpRunning.With(report.Address.GetLeftPart(UriPartial.Authority)));
        await output.WriteLineAsync(Text.UpSettings.With(Path.GetFullPath(settingsPath)));
        await output.WriteLineAsync(Text.UpLogin.With(report.Login));
        await output.WriteLineAsync(Text.UpTry);
        foreach (var command in Suggest(settingsPath, report))
        {
            await output.WriteLineAsync("  " + command);
        }

        await output.WriteLineAsync(Text.UpStop);
        await output.FlushAsync(CancellationToken.None);
    }

    /// <summary>Commands that work as they are: as somebody of the sandbox, or with the ticket of whoever types them.</summary>
    private string[] Suggest(string settingsPath, StartReport report)
    {
        var ready = $"curl {report.Address}readyz";
        if (report.Names is not [var watcher, var publisher])
        {
            return [ready];
        }

        var client = settingsPath == defaultSettings ? "./statusd test-client" : $"./statusd test-client --config {settingsPath}";
        var isSandbox = report.SandboxRealms.Count > 0;
        return
        [
            $"{client}{(isSandbox ? $" --as {watcher}" : "")} -rn {publisher}",
            $"{client}{(isSandbox ? $" --as {publisher}" : "")} -s ENABLE BUSY -sl 2",
            ready,
        ];
    }
}
