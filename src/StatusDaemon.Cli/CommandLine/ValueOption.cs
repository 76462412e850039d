using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using StatusDaemon.Language;

namespace StatusDaemon.CommandLine;

/// <summary>Makes the options: every wrong value gets a sentence in the user's language that says what is right.</summary>
internal static class ValueOption
{
    /// <summary>Longest time in seconds that an option takes: a day.</summary>
    private const double MaxSeconds = 86_400;

    /// <summary>An option without a value.</summary>
    public static Option<bool> Switch(string name, string description) =>
        new(name) { Description = description, Arity = ArgumentArity.Zero, Recursive = true };

    /// <summary>A text that is not empty.</summary>
    public static Option<string?> Word(string name, string[] aliases, string value, string description) =>
        Make<string?>(name, aliases, value, description, Text.ExpectText, word => (word.Length > 0, word));

    /// <summary>A host name or an address.</summary>
    public static Option<string?> Host(string name, string[] aliases, string description) =>
        Make<string?>(name, aliases, Text.ValueHost, description, Text.ExpectHost, word => (Uri.CheckHostName(word) != UriHostNameType.Unknown, word));

    /// <summary>A Kerberos service, as <c>HTTP@host</c>.</summary>
    public static Option<string?> Service(string name, string[] aliases, string description) =>
        Make<string?>(name, aliases, Text.ValueService, description, Text.ExpectService, word => (word.Split('@') is [{ Length: > 0 }, { Length: > 0 }], word));

    /// <summary>A file that is there.</summary>
    public static Option<string?> ExistingFile(string name, string[] aliases, string description) =>
        Make<string?>(name, aliases, Text.ValueFile, description, Text.ExpectFile, word => (File.Exists(word), word));

    /// <summary>A TCP port.</summary>
    public static Option<int?> Port(string name, string[] aliases, string description) =>
        Make<int?>(name, aliases, Text.ValuePort, description, Text.ExpectPort, word =>
            (int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is >= 1 and <= 65_535, port));

    /// <summary>A number of things, 1 or more.</summary>
    public static Option<long?> Count(string name, string[] aliases, string description) =>
        Make<long?>(name, aliases, Text.ValueNumber, description, Text.ExpectCount, word =>
            (long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count >= 1, count));

    /// <summary>A time in seconds, with a fraction.</summary>
    public static Option<TimeSpan?> Seconds(string name, string[] aliases, string description) =>
        Make<TimeSpan?>(name, aliases, Text.ValueSeconds, description, Text.ExpectSeconds, word =>
            double.TryParse(word, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds <= MaxSeconds
                ? (true, TimeSpan.FromSeconds(seconds))
                : (false, default));

    /// <summary>One or more words after the option; it may be given again to add more.</summary>
    public static Option<string[]> Words(string name, string[] aliases, string value, string description)
    {
        var option = new Option<string[]>(name, aliases)
        {
            Description = description,
            HelpName = value,
            Arity = ArgumentArity.ZeroOrMore,
            AllowMultipleArgumentsPerToken = true,
            Recursive = true,
        };
        option.Validators.Add(result => RequireValue(result, value));
        return option;
    }

    private static Option<T> Make<T>(string name, string[] aliases, string value, string description, string expected, Func<string, (bool Good, T Value)> read)
    {
        var option = new Option<T>(name, aliases)
        {
            Description = description,
            HelpName = value,
            Arity = ArgumentArity.ZeroOrMore, // so that the checks below speak, not the library's
            Recursive = true,
            CustomParser = result => result.Tokens is [var token, ..] ? read(token.Value).Value : default!,
        };
        option.Validators.Add(result =>
        {
            if (!RequireValue(result, value))
            {
                return;
            }

            if (result.Tokens.Count > 1)
            {
                Refuse(result, Text.OptionTwice, result.IdentifierToken?.Value);
            }
            else if (!read(result.Tokens[0].Value).Good)
            {
                Refuse(result, Text.OptionBadValue, result.IdentifierToken?.Value, result.Tokens[0].Value, expected);
            }
        });
        return option;
    }

    /// <summary>Refuses an option without a value, or whose value is the next option; a negative number is a value, if a wrong one.</summary>
    private static bool RequireValue(OptionResult result, string value)
    {
        var has = result.Tokens is [var first, ..] && !(first.Value is ['-', var next, ..] && !char.IsAsciiDigit(next));
        if (!has)
        {
            Refuse(result, Text.OptionNeedsValue, result.IdentifierToken?.Value, value);
        }

        return has;
    }

    private static void Refuse(OptionResult result, string text, params object?[] values) =>
        result.AddError(text.With(values));
}
