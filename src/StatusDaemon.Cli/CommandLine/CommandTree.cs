using System.CommandLine;
using System.Globalization;
using System.Reflection;
using StatusDaemon.Imitation;
using StatusDaemon.Language;

namespace StatusDaemon.CommandLine;

/// <summary>The whole command line of <c>statusd</c>: reads it, refuses what is wrong, runs one module.</summary>
/// <remarks>
/// Exit codes: 0 done, 1 failed, 2 wrong usage. Every option is taken before and after a module's name; which module it belongs to is
/// checked here, so that <c>-p 80 -tc</c>, <c>-tc -p 80</c> and <c>test-client -p 80</c> are one.
/// </remarks>
internal sealed class CommandTree
{
    private const int Failed = 1;
    private const int WrongUsage = 2;

    // Single-dash flags of several letters are names here, not bundles; a dname may begin with @.
    private static readonly ParserConfiguration Parser = new() { EnablePosixBundling = false, ResponseFileTokenReplacer = null };

    private readonly Command root = new("statusd");
    private readonly Option<string?> config = ValueOption.Word("--config", [], Text.ValueFile, Text.HelpConfig);
    private readonly Option<bool> help = ValueOption.Switch("--help", Text.HelpHelp);
    private readonly Option<bool> version = ValueOption.Switch("--version", Text.HelpVersion);
    private readonly Option<bool> json = ValueOption.Switch("--json", Text.Json);
    private readonly ModuleCommand[] commands;
    private readonly Option[] common;
    private readonly Modules modules;

    /// <summary>Builds it in the language of <see cref="CultureInfo.CurrentUICulture"/>.</summary>
    public CommandTree(Modules modules)
    {
        this.modules = modules;
        help.Aliases.Add("-h");
        common = [config, help, version];
        commands =
        [
            ServerCommand.Up(modules), ServerCommand.Daemon(modules), ServerCommand.WsServer(modules), LaterCommand.SyncReceiver(), LaterCommand.SyncSender(),
            LaterCommand.SyncClient(), TestClientCommand.Create(modules, json), ImportPrivilegesCommand.Create(modules, json), ExportPrivilegesCommand.Create(modules, json),
            LaterCommand.Cli(),
        ];
        root.SetAction(_ => { }); // without one the library demands a subcommand, and flags are as good
        foreach (var option in commands.SelectMany(command => command.Options).Concat(common).Distinct())
        {
            root.Add(option);
        }

        foreach (var command in commands)
        {
            root.Add(command.Subcommand);
            if (command.Flag is { } flag)
            {
                root.Add(flag);
            }
        }
    }

    /// <summary>Runs one command line.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, CancellationToken stop)
    {
        var line = root.Parse(args, Parser);
        var chosen = commands.Where(command => command.NamedAs(line) is not null).ToArray();
        if (Given(line, help))
        {
            ShowHelp(chosen, output);
            return 0;
        }

        if (Given(line, version))
        {
            await output.WriteLineAsync("statusd " + typeof(CommandTree).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion);
            return 0;
        }

        if (Complaint(line, chosen) is { } complaint)
        {
            await error.WriteLineAsync($"statusd: {complaint}\n{Text.SeeHelp}");
            return WrongUsage;
        }

        try
        {
            return await chosen[0].RunAsync(line, Path.GetFullPath(line.GetValue(config) ?? modules.DefaultSettings), stop);
        }
        catch (CommandFailedException e)
        {
            await error.WriteLineAsync("statusd: " + e.Message);
            return Failed;
        }
    }

    private void ShowHelp(ModuleCommand[] chosen, TextWriter output)
    {
        var writer = new HelpWriter(output);
        if (chosen is [var one])
        {
            writer.WriteModule(one, common);
        }
        else
        {
            writer.WriteAll(commands, common);
        }
    }

    /// <summary>The first thing that is wrong with a command line; null where it is right.</summary>
    private string? Complaint(ParseResult line, ModuleCommand[] chosen)
    {
        if (chosen is [var first, var second, ..])
        {
            return Text.ModulesExclude.With(first.NamedAs(line), second.NamedAs(line));
        }

        if (line.UnmatchedTokens is [var unknown, ..])
        {
            return Text.UnknownArgument.With(unknown);
        }

        if (line.Errors is [var wrong, ..])
        {
            return wrong.Message;
        }

        foreach (var owner in commands.Except(chosen))
        {
            if (owner.Options.FirstOrDefault(option => Given(line, option) && !chosen.Any(command => command.Options.Contains(option))) is { } stray)
            {
                var spelled = line.GetResult(stray)?.IdentifierToken?.Value;
                return chosen is [var other]
                    ? Text.OptionNotOfModule.With(spelled, other.NamedAs(line))
                    : Text.OptionNeedsModule.With(spelled, owner.Name);
            }
        }

        if (chosen is [{ Operand: { } operand } needy] && line.GetValue<string>(operand) is not { Length: > 0 })
        {
            return Text.OptionNeedsValue.With(needy.NamedAs(line), operand);
        }

        return chosen.Length == 0 ? Text.NoModule.With(string.Join(", ", commands.Select(command => command.Name))) : null;
    }

    private static bool Given(ParseResult line, Option option) => line.GetResult(option) is { Implicit: false };
}
