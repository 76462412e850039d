using System.CommandLine;

namespace StatusDaemon.CommandLine;

/// <summary>One module as the user calls it: by its name, or by the flag of the system that this one replaces.</summary>
internal sealed class ModuleCommand
{
    /// <summary>A module.</summary>
    /// <param name="flags">Its flags, long form first; empty where the earlier system had none.</param>
    public ModuleCommand(string name, string[] flags, string description, params Option[] options)
    {
        Subcommand = new Command(name, description);
        Flag = flags is [var flag, .. var aliases] ? new Option<bool>(flag, aliases) { Arity = ArgumentArity.Zero, Recursive = true } : null;
        Options = options;
    }

    /// <summary>The form <c>statusd up</c>.</summary>
    public Command Subcommand { get; }

    /// <summary>The form <c>statusd -d</c>.</summary>
    public Option<bool>? Flag { get; }

    /// <summary>The options that belong to it alone.</summary>
    public IReadOnlyList<Option> Options { get; }

    /// <summary>What stands after its name and is needed, such as FILE; null where nothing does.</summary>
    public string? Operand
    {
        get;
        init
        {
            field = value;
            if (value is not null)
            {
                Subcommand.Add(new Argument<string?>(value) { Arity = ArgumentArity.ZeroOrOne }); // so that our check speaks, not the library's
            }
        }
    }

    /// <summary>Runs it.</summary>
    public required Func<ParseResult, string, CancellationToken, Task<int>> RunAsync { get; init; }

    /// <summary>Its name.</summary>
    public string Name => Subcommand.Name;

    /// <summary>How the user named it on this command line; null where it was not named.</summary>
    public string? NamedAs(ParseResult line) =>
        line.GetResult(Subcommand) is { } command ? command.IdentifierToken.Value
        : Flag is not null && line.GetResult(Flag) is { Implicit: false } flag ? flag.IdentifierToken?.Value
        : null;
}
