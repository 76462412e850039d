using System.Diagnostics;
using StatusDaemon.EndToEnd;
using StatusDaemon.Fuzzing;

// The readers, and servers that run already, against what clients might send. Ends at the first case that is read otherwise than it should be.
const string Usage = """
    usage: dotnet run -c Release --project bench/fuzz -- [--minutes N] [--seed S] [--cases N] [--server ws://host:port]...
      --minutes   how long; 1 if neither it nor --cases is given
      --seed      the first seed; each case has the next one. Without it any
      --cases     how many, in place of a time
      --server    loopback server in trusted-header mode, ws:// or wss://, repeatable: streams go over its sockets too

    """;

double? minutes = null;
long? cases = null;
var seed = Random.Shared.Next();
List<Server> servers = [];
for (var i = 0; i < args.Length; i += 2)
{
    var value = i + 1 < args.Length ? args[i + 1] : "";
    switch (args[i])
    {
        case "--minutes" when double.TryParse(value, out var given) && given > 0:
            minutes = given;
            break;
        case "--seed" when int.TryParse(value, out var given):
            seed = given;
            break;
        case "--cases" when long.TryParse(value, out var given) && given > 0:
            cases = given;
            break;
        case "--server" when Uri.TryCreate(value, UriKind.Absolute, out var url) && url is { Scheme: "ws" or "wss", IsLoopback: true }:
            servers.Add(new Server(url.Port, url.Scheme == "wss"));
            break;
        default:
            Console.Error.Write(Usage);
            return 2;
    }
}

Console.WriteLine($"seed {seed}");
var clock = Stopwatch.StartNew();
var end = cases is null ? TimeSpan.FromMinutes(minutes ?? 1) : TimeSpan.FromMinutes(minutes ?? 525_600);
var said = TimeSpan.Zero;
long done = 0;
try
{
    for (; clock.Elapsed < end && (cases is null || done < cases); done++)
    {
        var next = unchecked((int)(seed + done));
        Fuzz.Frames(next);
        Fuzz.Message(next);
        await Task.WhenAll(servers.Select(server => SocketFuzz.RunAsync(server, next)));
        if (clock.Elapsed - said > TimeSpan.FromSeconds(30))
        {
            said = clock.Elapsed;
            Console.WriteLine($"{said.TotalSeconds:F0} s: {done + 1:N0} cases");
        }
    }
}
catch (FuzzException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}

Console.WriteLine($"{done:N0} cases in {clock.Elapsed.TotalSeconds:F0} s, none read otherwise than it should be");
return 0;

/// <summary>A server that somebody else has started.</summary>
internal sealed record Server(int Port, bool IsTls) : IListening;
