using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace StatusDaemon.Load;

/// <summary>Runs what was asked for: each scenario against each server in turn, so that what disturbs the machine disturbs all of them, and that again for each run.</summary>
internal static class LoadRun
{
    /// <summary>Files of a crowd's process that are no connections.</summary>
    private const int OtherFiles = 1000;

    /// <summary>Runs it and prints what it comes to.</summary>
    /// <returns>0 if each server did what it should; else 1.</returns>
    public static async Task<int> RunAsync(LoadRequest request, TextWriter output, CancellationToken stop)
    {
        var figures = new List<Figures>();
        for (var run = 1; run <= request.Runs; run++)
        {
            foreach (var scenario in request.Scenarios)
            {
                await foreach (var one in RunAsync(request, scenario, stop))
                {
                    figures.Add(one);
                    if (request.AsJson)
                    {
                        await output.WriteLineAsync(JsonSerializer.Serialize(one, LoadJson.Default.Figures));
                    }
                    else
                    {
                        await Console.Error.WriteLineAsync($"run {run}: {one.Scenario} ({scenario.About}) {one.Server}{(one.IsGood ? "" : $": {one.Problem}")}");
                    }
                }
            }
        }

        if (!request.AsJson)
        {
            await output.WriteAsync(FiguresTable.Write(figures));
        }

        return figures.TrueForAll(one => one.IsGood) ? 0 : 1;
    }

    private static async IAsyncEnumerable<Figures> RunAsync(LoadRequest request, Scenario scenario, [EnumeratorCancellation] CancellationToken stop)
    {
        var processes = request.Processes ?? ProcessesFor(scenario.Connections);
        if (request.WithFloor)
        {
            yield return await RunAsync(scenario, StartedServer.FloorAsync(), processes, stop);
        }

        if (request.Statusd is { } program)
        {
            yield return await RunAsync(scenario, StartedServer.StatusdAsync(program), processes, stop);
            if (request.Apart)
            {
                yield return await RunAsync(scenario, StartedServer.ApartAsync(program), processes, stop);
            }
        }

        if (request.WithKestrel)
        {
            yield return await RunAsync(scenario, StartedServer.KestrelAsync(), processes, stop);
        }

        if (request.Given is { } target)
        {
            yield return await Conductor.RunAsync(scenario, target, processes).WaitAsync(stop);
        }
    }

    private static async Task<Figures> RunAsync(Scenario scenario, Task<StartedServer> starting, int processes, CancellationToken stop)
    {
        await using var server = await starting;
        return await Conductor.RunAsync(scenario, server.Target, processes).WaitAsync(stop); // whoever is told to end leaves no server behind
    }

    /// <summary>As many as it takes for each to have fewer connections than it may open files.</summary>
    private static int ProcessesFor(int connections)
    {
        var limit = File.ReadLines("/proc/self/limits").First(line => line.StartsWith("Max open files", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[4];
        var each = int.TryParse(limit, CultureInfo.InvariantCulture, out var files) ? Math.Max(1, files - OtherFiles) : int.MaxValue;
        return (int)Math.Ceiling(connections / (double)each);
    }
}
