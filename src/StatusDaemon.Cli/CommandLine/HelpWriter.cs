using System.CommandLine;
using StatusDaemon.Language;

namespace StatusDaemon.CommandLine;

/// <summary>Writes help in the user's language, 100 columns wide wherever it goes.</summary>
/// <remarks>Ours, since the library's help knows neither groups of options nor all of its own words in Russian.</remarks>
internal sealed class HelpWriter(TextWriter output)
{
    private const int Width = 100;
    private const int TextColumn = 42;

    /// <summary>Help of the whole program.</summary>
    public void WriteAll(IReadOnlyList<ModuleCommand> modules, IReadOnlyList<Option> common)
    {
        WriteUsage(Text.HelpUsageRoot, Text.Program);
        output.WriteLine();
        output.WriteLine(Text.HelpModules);
        foreach (var module in modules)
        {
            WriteRow(module.Flag is null ? $"{module.Name} {module.Operand}".TrimEnd() : $"{module.Name}, {Spellings(module.Flag)}", module.Subcommand.Description);
        }

        foreach (var module in modules)
        {
            WriteOptions(Text.HelpOptionsOf, module.Name, module.Options);
        }

        WriteOptions(Text.HelpOptionsCommon, "", common);
        output.WriteLine();
        output.WriteLine(Text.HelpLanguage);
    }

    /// <summary>Help of one module.</summary>
    public void WriteModule(ModuleCommand module, IReadOnlyList<Option> common)
    {
        var called = module.Flag is null ? module.Name : $"{module.Name} | {Spellings(module.Flag).Replace(", ", " | ", StringComparison.Ordinal)}";
        WriteUsage(Text.HelpUsageModule.With(module.Operand is null ? called : $"{called} {module.Operand}"), module.Subcommand.Description);
        WriteOptions(Text.HelpOptionsOf, module.Name, module.Options);
        WriteOptions(Text.HelpOptionsCommon, "", common);
    }

    private void WriteUsage(string usage, string? description)
    {
        output.WriteLine(description);
        output.WriteLine();
        output.WriteLine(Text.HelpUsage);
        output.WriteLine("  " + usage);
    }

    private void WriteOptions(string title, string module, IReadOnlyList<Option> options)
    {
        if (options.Count == 0)
        {
            return;
        }

        output.WriteLine();
        output.WriteLine(title.With(module));
        foreach (var option in options)
        {
            WriteRow($"{Spellings(option)} {option.HelpName}".TrimEnd(), option.Description);
        }
    }

    private void WriteRow(string left, string? text)
    {
        var line = "  " + left;
        if (line.Length > TextColumn - 2)
        {
            output.WriteLine(line);
            line = "";
        }

        line = line.PadRight(TextColumn);
        foreach (var word in (text ?? "").Split(' '))
        {
            if (line.Length + word.Length > Width && line.Length > TextColumn)
            {
                output.WriteLine(line.TrimEnd());
                line = new string(' ', TextColumn);
            }

            line += word + " ";
        }

        output.WriteLine(line.TrimEnd());
    }

    private static string Spellings(Option option) => string.Join(", ", option.Aliases.Order(StringComparer.Ordinal).Append(option.Name));
}
