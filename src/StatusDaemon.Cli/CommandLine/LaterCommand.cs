using System.CommandLine;
using StatusDaemon.Imitation;
using StatusDaemon.Language;

namespace StatusDaemon.CommandLine;

/// <summary>A module that comes later: its command line is taken and checked as it will be, then the user is told what to use meanwhile.</summary>
internal static class LaterCommand
{
    /// <summary><c>statusd sync-receiver</c>.</summary>
    public static ModuleCommand SyncReceiver() =>
        Create("sync-receiver", ["--synchronize-receiver", "-rsync"], Text.ModuleSyncReceiver, Text.ModuleLaterSync);

    /// <summary><c>statusd sync-sender</c>.</summary>
    public static ModuleCommand SyncSender() =>
        Create("sync-sender", ["--synchronize-sender", "-ssync"], Text.ModuleSyncSender, Text.ModuleLaterSync);

    /// <summary><c>statusd sync-client</c>.</summary>
    public static ModuleCommand SyncClient() => Create(
        "sync-client",
        ["--sync-client", "-sc"],
        Text.ModuleSyncClient,
        Text.ModuleLaterSync,
        ValueOption.Host("--sync-server-host", ["-ssh"], Text.SyncServerHost),
        ValueOption.Port("--sync-server-port", ["-ssp"], Text.SyncServerPort),
        ValueOption.Word("--sync-client-name", ["-name"], Text.ValueName, Text.SyncClientName),
        ValueOption.ExistingFile("--uids-filename", ["-ufn"], Text.UidsFilename),
        ValueOption.Seconds("--sync-seconds", ["-ssec"], Text.SyncSeconds),
        ValueOption.Count("--max-status-number", ["-msn"], Text.MaxStatusNumber),
        ValueOption.Seconds("--sync-sleep-time", ["-sst"], Text.SyncSleepTime));

    /// <summary><c>statusd cli</c>, with the words of its own language after it.</summary>
    public static ModuleCommand Cli()
    {
        var command = Create("cli", ["--cli", "-cli"], Text.ModuleCli, Text.ModuleLaterCli);
        command.Subcommand.Add(new Argument<string[]>(Text.ValueWords) { Arity = ArgumentArity.ZeroOrMore });
        return command;
    }

    private static ModuleCommand Create(string name, string[] flags, string description, string notYet, params Option[] options) =>
        new(name, flags, $"{description} {Text.NotThereYet}", options)
        {
            RunAsync = (_, _, _) => throw new CommandFailedException(notYet.With(name)),
        };
}
