using System.CommandLine;
using System.Globalization;
using StatusDaemon.Chaos;

var rounds = new Option<int>("--rounds") { Description = "How many faults.", DefaultValueFactory = _ => 30 };
var seed = new Option<int>("--seed") { Description = "What decides which ones, and all else that is at random.", DefaultValueFactory = _ => 1 };
var only = new Option<string[]>("--only") { Description = "These faults alone, in turn.", AllowMultipleArgumentsPerToken = true };
var logs = new Option<string>("--logs") { Description = "A folder for what the members print.", DefaultValueFactory = _ => Path.Combine(Path.GetTempPath(), "statusd-chaos-logs") };
var hold = new Option<double?>("--hold-limits") { Description = "Fail also where lamps stand still for so many times as long as a fault may cost; 1 is for a machine that has nothing else to do." };
var command = new RootCommand("Two daemons, two gateways and a Redis on hosts of their own, and what may happen to them, under load and with an oracle. Needs root.") { rounds, seed, only, logs, hold };
command.SetAction(RunAsync);
return await command.Parse(args).InvokeAsync();

async Task<int> RunAsync(ParseResult line, CancellationToken stop)
{
    var random = new Random(line.GetValue(seed));
    var wanted = line.GetValue(only) ?? [];
    var faults = wanted.Length == 0 ? Fault.All : [.. wanted.Select(name => Fault.All.First(fault => fault.Name == name))];
    await using var run = new ChaosRun(line.GetValue(logs)!, line.GetValue(seed), Console.Out);
    var isThrough = false;
    var over = 0;
    try
    {
        await run.StartAsync();
        for (var round = 0; round < line.GetValue(rounds) && !stop.IsCancellationRequested; round++)
        {
            var outcome = await run.SufferAsync(wanted.Length == 0 && round >= faults.Count ? faults[random.Next(faults.Count)] : faults[round % faults.Count]);
            var isOver = outcome.Standstill > outcome.Fault.Limit * (line.GetValue(hold) ?? 1);
            over += isOver ? 1 : 0;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{outcome.Fault,-32} no news, median and longest: meanwhile {outcome.Meanwhile}, afterwards {outcome.Afterwards}; dark at its end {outcome.Dark,3}; load late by {outcome.Late.TotalMilliseconds,4:F0} ms; returns {outcome.Returns,4}; violations {outcome.Violations}{(isOver ? "; over its limit" : "")}"));
        }

        await run.FinishAsync();
        isThrough = true;
    }
    catch (TimeoutException e)
    {
        Console.WriteLine(e.Message);
    }

    foreach (var violation in run.Violations.Take(100))
    {
        Console.WriteLine(violation);
    }

    Console.WriteLine($"{(run.Violations.Count == 0 ? "no violation" : $"{run.Violations.Count} violations")}, {over} over their limit");
    return isThrough && run.Violations.Count == 0 && (over == 0 || line.GetValue(hold) is null) ? 0 : 1;
}
