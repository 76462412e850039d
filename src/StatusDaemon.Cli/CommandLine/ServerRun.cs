using System.Collections;
using System.Diagnostics;
using StatusDaemon.Imitation;
using StatusDaemon.Language;

namespace StatusDaemon.CommandLine;

/// <summary>Runs the server until a signal ends it, and tells the one who started it what there is.</summary>
/// <param name="defaultSettings">Absolute path of the settings file where none is named.</param>
internal sealed class ServerRun(string defaultSettings, TextWriter output)
{
    /// <summary>Runs parts of the server in this process.</summary>
    /// <param name="stop">Ends it before it is up; after that the server hears the signals itself, and tells its clients which it was.</param>
    /// <returns>0 when it was asked to end and did, 1 when a part of it failed.</returns>
    public async Task<int> RunAsync(ServerModules modules, string settingsPath, CancellationToken stop)
    {
        try
        {
            stop.ThrowIfCancellationRequested();
            await using var server = await StatusdServer.CreateAsync(settingsPath, modules, stop);
            await WriteAsync(settingsPath, await server.StartAsync(stop));
            return await server.WaitAsync(CancellationToken.None) ? 0 : 1;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return 0;
        }
        catch (OperationCanceledException)
        {
            throw new CommandFailedException(Text.UpFailed);
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
            return Read(settingsPath, Environment.GetEnvironmentVariables());
        }
        catch (StartException e)
        {
            throw new CommandFailedException(e.Message);
        }
    }

    private static ClientDefaults Read(string settingsPath, IDictionary environment)
    {
        var read = ClientSettings.Read(settingsPath, environment);
        return new ClientDefaults(read.Host, read.Port, read.Tls, read.StatePath, read.ServiceNames);
    }

    /// <summary>What a client takes from the settings in a terminal that has no variables of ours.</summary>
    private static ClientDefaults? ReadElsewhere(string settingsPath)
    {
        try
        {
            return Read(settingsPath, new Hashtable());
        }
        catch (StartException)
        {
            return null; // without the variables they are not whole
        }
    }

    private async Task WriteAsync(string settingsPath, StartReport report)
    {
        if (report.Daemon is { } daemon)
        {
            await output.WriteLineAsync(daemon.Cluster is { } cluster
                ? Text.UpMember.With(cluster, daemon.Shards, daemon.Peers, daemon.Address)
                : Text.UpDaemon.With(daemon.Address, daemon.Shards));
        }

        if (report.Gateway is { } gateway)
        {
            await WriteAsync(settingsPath, gateway);
        }
        else
        {
            await output.WriteLineAsync(Text.UpSettings.With(settingsPath));
        }

        await output.WriteLineAsync(Text.UpStop);
        await output.FlushAsync(CancellationToken.None);
    }

    private async Task WriteAsync(string settingsPath, GatewayReport gateway)
    {
        if (gateway.SandboxRealms.Count > 0)
        {
            await output.WriteLineAsync(Text.UpSandbox.With(string.Join(", ", gateway.SandboxRealms)));
        }

        var http = gateway.Address.GetLeftPart(UriPartial.Authority);
        await output.WriteLineAsync(Text.UpRunning.With("ws" + http["http".Length..], http));
        await output.WriteLineAsync(Text.UpSettings.With(settingsPath));
        foreach (var line in Describe(gateway.Login))
        {
            await output.WriteLineAsync(line);
        }

        await output.WriteLineAsync(Text.UpTry);
        foreach (var command in Suggestions.For(settingsPath == defaultSettings ? null : settingsPath, gateway, ReadElsewhere(settingsPath)))
        {
            await output.WriteLineAsync("  " + command);
        }
    }

    /// <summary>How people log in, and what looks wrong about it.</summary>
    internal static IEnumerable<string> Describe(LoginReport login) => login switch
    {
        LoginReport.TrustedHeader trusted => [Text.UpTrusted.With(trusted.Header)],
        LoginReport.Kerberos kerberos =>
        [
            Text.UpLogin.With(string.Join(", ", kerberos.Keys), string.Join(", ", kerberos.Realms)),
            .. kerberos.Warnings.Select(warning => warning switch
            {
                LoginWarning.ClockUnset clock => Text.UpClockUnset.With(Time(clock.Now)),
                LoginWarning.KeyFromTheFuture key => Text.UpKeyFromTheFuture.With(Time(key.Made), Time(key.Now)),
                _ => throw new UnreachableException(),
            }),
        ],
        _ => throw new UnreachableException(),
    };

    private static string Time(DateTimeOffset time) => time.ToString("u", null);
}
