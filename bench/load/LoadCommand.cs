using System.CommandLine;
using System.Net;
using System.Net.Sockets;

namespace StatusDaemon.Load;

/// <summary>The command line.</summary>
internal sealed class LoadCommand
{
    /// <summary>The word that makes this program a <see cref="CrowdProgram"/>; for itself alone.</summary>
    public const string Crowd = "crowd";

    /// <summary>The word that makes it the Kestrel peer, and takes the port.</summary>
    public const string KestrelPeer = "kestrel-peer";

    private const int Failed = 1;
    private const int WrongUsage = 2;

    private readonly Argument<string[]> scenarios = new("scenario")
    {
        Description = "s1 (idle connections: memory), s2 (flood), s3 (fixed rate: latency), s4 (star), s5 (connects), s6 (fixed rate, one watcher each: the way through the shards), or all; 'soak': connections come, go, stall and say rubbish, and the server must keep nothing of them; or 'table' and files of --json, to print their medians as a table",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string?> url = new("--url") { Description = "a server that runs: ws://HOST:PORT/PATH; %s in the path is the UID", HelpName = "URL" };
    private readonly Option<string[]> headers = new("--header") { Description = $"a line of the upgrade request, repeatable; %s is the UID. Without it '{StartedServer.UidHeader}'", HelpName = "LINE", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<DialectName> dialect = new("--dialect") { Description = "what the server at --url speaks: statusd, nats or mqtt", DefaultValueFactory = _ => DialectName.Statusd };
    private readonly Option<string?> pids = new("--pid") { Description = "its processes, with commas between them: their CPU and memory are measured", HelpName = "PID,…" };
    private readonly Option<string?> name = new("--name") { Description = "what to call it in the table", HelpName = "NAME" };
    private readonly Option<bool> start = new("--start") { Description = "start a statusd for each run, in trusted-header mode, in a folder that is deleted after it" };
    private readonly Option<string?> statusd = new("--statusd") { Description = "the statusd.dll that --start starts; without it the one beside this program", HelpName = "FILE" };
    private readonly Option<bool> apart = new("--apart") { Description = "with --start: also start it as a daemon and a gateway in processes of their own" };
    private readonly Option<bool> floor = new("--floor") { Description = "also run against the floor: floor.c, compiled by cc" };
    private readonly Option<bool> kestrel = new("--kestrel") { Description = "also run against the WebSockets of a stock Kestrel" };
    private readonly Option<int> runs = new("--runs") { Description = "how often, all servers in turn; the table shows medians", DefaultValueFactory = _ => 1 };
    private readonly Option<int?> processes = new("--processes") { Description = "processes that share the connections; each has people of its own, who watch each other. Without it as few as the limit of open files allows" };
    private readonly Option<int?> connections = new("--connections") { Description = "how many; without it, and without the following, what the scenario says" };
    private readonly Option<int?> watches = new("--watches") { Description = "how many each of them watches" };
    private readonly Option<int?> publishers = new("--publishers") { Description = "how many publish in s2" };
    private readonly Option<double?> rate = new("--rate") { Description = "publications a second in s3 and s6" };
    private readonly Option<double?> duration = new("--duration") { Description = "seconds that are measured; in s1, that connections are held" };
    private readonly Option<double?> warmUp = new("--warmup") { Description = "seconds of load before them" };
    private readonly Option<bool> json = new("--json") { Description = "one JSON object a run in place of the table" };

    private readonly RootCommand root = new("Loads a server of statuses, checks all that it says, and measures what it costs. Exit code 1 if a server did what it must not, 2 for a wrong command line.");

    /// <summary>Builds it.</summary>
    public LoadCommand()
    {
        root.Add(scenarios);
        foreach (Option option in (Option[])[url, headers, dialect, pids, name, start, apart, statusd, floor, kestrel, runs, processes, connections, watches, publishers, rate, duration, warmUp, json])
        {
            root.Add(option);
        }
    }

    /// <summary>Runs one command line.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        root.SetAction(async (line, stop) =>
        {
            try
            {
                if (line.GetValue(scenarios) is ["table", .. var files])
                {
                    await output.WriteAsync(FiguresTable.Write(FiguresTable.Read(files.SelectMany(File.ReadLines))));
                    return 0;
                }

                if (line.GetValue(scenarios) is ["soak"])
                {
                    return await SoakProgram.RunAsync(
                        ProgramOf(line),
                        (int)(Within(connections, line.GetValue(connections), 100, 19_000) ?? SoakProgram.Connections),
                        TimeSpan.FromSeconds(Within(duration, line.GetValue(duration), 1, 86_400) ?? SoakProgram.Seconds),
                        output);
                }

                return await LoadRun.RunAsync(Read(line), output, stop);
            }
            catch (UsageException e)
            {
                await error.WriteLineAsync($"load: {e.Message}\n--help shows what there is.");
                return WrongUsage;
            }
            catch (OperationCanceledException)
            {
                await error.WriteLineAsync("load: stopped");
                return Failed;
            }
            catch (Exception e) when (e is LoadException or IOException)
            {
                await error.WriteLineAsync($"load: {e.Message}");
                return Failed;
            }
        });
        var parsed = root.Parse(args);
        if (parsed.Errors is [var wrong, ..])
        {
            await error.WriteLineAsync($"load: {wrong.Message}\n--help shows what there is.");
            return WrongUsage;
        }

        return await parsed.InvokeAsync();
    }

    private LoadRequest Read(ParseResult line)
    {
        var given = line.GetValue(url) is { } at ? ReadTarget(line, at) : null;
        var starts = line.GetValue(start);
        if (given is null && !starts && !line.GetValue(floor) && !line.GetValue(kestrel))
        {
            throw new UsageException("which server? Name a running one with --url, or start one with --start, --floor or --kestrel.");
        }

        return new LoadRequest(
            ReadScenarios(line), given, starts ? ProgramOf(line) : null, line.GetValue(apart), line.GetValue(floor), line.GetValue(kestrel),
            (int)Within(runs, line.GetValue(runs), 1, 1000)!, (int?)Within(processes, line.GetValue(processes), 1, 64), line.GetValue(json));
    }

    private string ProgramOf(ParseResult line)
    {
        var program = line.GetValue(statusd) ?? Path.Combine(AppContext.BaseDirectory, "statusd.dll");
        return File.Exists(program) ? program : throw new UsageException($"--statusd: there is no file {program}");
    }

    private Scenario[] ReadScenarios(ParseResult line)
    {
        var named = line.GetValue(scenarios)!.SelectMany(word => word == "all"
            ? Scenario.All
            : [Scenario.All.FirstOrDefault(scenario => scenario.Name == word) ?? throw new UsageException($"there is no scenario '{word}': s1 to s6, or all")]);
        return [.. named.Select(scenario => scenario with
        {
            Connections = (int)(Within(connections, line.GetValue(connections), 2, 10_000_000) ?? scenario.Connections),
            Watches = (int)(Within(watches, line.GetValue(watches), 1, 10_000) ?? scenario.Watches),
            Publishers = (int)(Within(publishers, line.GetValue(publishers), 1, 1_000_000) ?? scenario.Publishers),
            Rate = Within(rate, line.GetValue(rate), 0.1, 100_000) ?? scenario.Rate,
            Duration = Within(duration, line.GetValue(duration), 0.1, 3600) ?? scenario.Duration,
            WarmUp = Within(warmUp, line.GetValue(warmUp), 0, 3600) ?? scenario.WarmUp,
        }).Select(scenario => scenario with { First = Math.Min(scenario.First, scenario.Connections / 10) })];
    }

    private Target ReadTarget(ParseResult line, string at)
    {
        if (!Uri.TryCreate(at, UriKind.Absolute, out var server) || server.Scheme != "ws")
        {
            throw new UsageException($"--url: '{at}' is not of the form ws://HOST:PORT/PATH");
        }

        var processes = (line.GetValue(pids) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(word =>
            int.TryParse(word, out var process) && NativeClient.ProcessorTimeOf(process) is not null
                ? process
                : throw new UsageException($"--pid: '{word}' is not a process"));
        var spoken = line.GetValue(dialect);
        var lines = line.GetValue(headers) is { Length: > 0 } own ? own : spoken == DialectName.Statusd ? [StartedServer.UidHeader] : [];
        return new Target(line.GetValue(name) ?? "server", spoken, new UriBuilder(server) { Host = AddressOf(server.Host) }.Uri, lines, [.. processes]);
    }

    private static string AddressOf(string host)
    {
        try
        {
            return Dns.GetHostAddresses(host, AddressFamily.InterNetwork)[0].ToString();
        }
        catch (Exception e) when (e is SocketException or IndexOutOfRangeException)
        {
            throw new UsageException($"--url: {host} has no IPv4 address");
        }
    }

    private static double? Within(Option option, double? value, double least, double most) =>
        value is null || (value >= least && value <= most) ? value : throw new UsageException($"{option.Name}: {value} is not from {least} to {most}");

    /// <summary>A command line that cannot be meant.</summary>
    private sealed class UsageException(string message) : Exception(message);
}
