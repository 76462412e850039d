using System.CommandLine;
using StatusDaemon.Imitation;
using StatusDaemon.Language;
using StatusDaemon.Statuses;

namespace StatusDaemon.CommandLine;

/// <summary><c>statusd test-client</c>: imitates a client of the status server.</summary>
internal static class TestClientCommand
{
    /// <summary>The command.</summary>
    public static ModuleCommand Create(Modules modules, Option<bool> json)
    {
        var host = ValueOption.Host("--remote-host", ["-rh"], Text.RemoteHost);
        var port = ValueOption.Port("--port", ["-p"], Text.Port);
        var names = ValueOption.Words("--remote-names", ["-rn"], Text.ValueNames, Text.RemoteNames);
        var statuses = ValueOption.Words("--status", ["-s"], Text.ValueStatuses, StatusHelp());
        var sleep = ValueOption.Seconds("--sleep", ["-sl"], Text.Sleep);
        var logInAs = ValueOption.Word("--as", [], Text.ValueDname, Text.As);
        var service = ValueOption.Service("--service", [], Text.Service);
        var tls = ValueOption.Switch("--tls", Text.Tls);
        var count = ValueOption.Count("--count", [], Text.Count);

        return new ModuleCommand("test-client", ["--test-client", "-tc"], Text.ModuleTestClient, host, port, names, statuses, sleep, logInAs, service, tls, count, json)
        {
            RunAsync = async (line, settings, stop) =>
            {
                var defaults = modules.ReadClientDefaults(settings);
                var server = line.GetValue(host) ?? defaults.ReachableHost;
                var asked = new TestClientRequest
                {
                    Host = server,
                    Port = line.GetValue(port) ?? defaults.Port,
                    Tls = line.GetValue(tls) || defaults.Tls,
                    ServiceName = line.GetValue(service) ?? defaults.ServiceNameFor(server),
                    StatePath = defaults.StatePath,
                    As = line.GetValue(logInAs),
                    Names = line.GetValue(names) ?? [],
                    Statuses = line.GetValue(statuses) ?? [],
                    Count = line.GetValue(count),
                    Json = line.GetValue(json),
                };
                return await modules.TestClientAsync(line.GetValue(sleep) is { } wait ? asked with { Sleep = wait } : asked, stop);
            },
        };
    }

    private static string StatusHelp() => Text.Status.With(string.Join(", ", StatusNames.All));
}
