using System.Collections;
using System.Text;

namespace StatusDaemon.Settings;

/// <summary>The settings as they were given: the YAML file, and the variables <c>STATUSD_SECTION__KEY</c> that override it.</summary>
/// <remarks>
/// The options classes ask for their section and its keys; whatever is wrong is collected, so that an administrator sees all of it at
/// once. What nobody asked for is unknown: <see cref="Finish"/> says so. Keys are dotted inside (<c>offline.after</c>); a file may nest them or write the dots.
/// </remarks>
internal sealed class SettingsFile
{
    /// <summary>Largest file in bytes: far above any use, so that a path that names something else is told.</summary>
    public const int MaxBytes = 1 << 20;

    private const string VariablePrefix = "STATUSD_";

    private readonly List<(int Line, string Text)> problems = [];
    private readonly Dictionary<string, YamlEntry> written = [];
    private readonly Dictionary<string, SettingsSection> sections = [];
    private readonly Dictionary<string, string> variables = [];
    private readonly List<SettingKey> keys = [];

    private SettingsFile(string path) => Path = path;

    /// <summary>The file as it was named to us: what messages begin with.</summary>
    public string Path { get; }

    /// <summary>Every key that was asked for, in that order.</summary>
    public IReadOnlyList<SettingKey> Keys => keys;

    /// <summary>Reads the file and the variables. Values are not looked at yet.</summary>
    /// <param name="environment">As <see cref="Environment.GetEnvironmentVariables()"/> gives it.</param>
    /// <returns>False if the file cannot be read at all: nothing more can be said than <paramref name="problems"/>.</returns>
    public static bool TryRead(string path, IDictionary environment, out SettingsFile file, out IReadOnlyList<string> problems)
    {
        file = new SettingsFile(path);
        try
        {
            file.ReadSections();
        }
        catch (YamlSyntaxException fault)
        {
            file.problems.Add((fault.Line, $"{path}:{fault.Line}: {fault.Message}"));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            file.problems.Add((0, $"{path}: {WhyUnreadable(path, fault)}"));
        }

        foreach (DictionaryEntry variable in environment)
        {
            var name = (string)variable.Key;
            if (name.StartsWith(VariablePrefix, StringComparison.Ordinal) && name.Contains("__", StringComparison.Ordinal))
            {
                file.variables.Add(name, (string?)variable.Value ?? "");
            }
        }

        problems = [.. file.problems.Select(problem => problem.Text)];
        return problems.Count == 0;
    }

    private static string WhyUnreadable(string path, Exception fault) => fault switch
    {
        FileNotFoundException or DirectoryNotFoundException => "there is no such file",
        UnauthorizedAccessException when Directory.Exists(path) => "it is a folder, not a file",
        _ => fault.Message,
    };

    /// <summary>A section, empty if the file does not have it.</summary>
    public SettingsSection Section(string name)
    {
        if (sections.TryGetValue(name, out var known))
        {
            return known;
        }

        var entry = written.GetValueOrDefault(name);
        var section = new SettingsSection(this, name, entry?.Line ?? 0, hasVariables: true);
        switch (entry?.Value)
        {
            case null or YamlNode.Scalar { IsEmpty: true }:
                break;
            case YamlNode.Mapping map:
                section.Take(map);
                break;
            default:
                Add(entry.Line, $"{Path}:{entry.Line}: {name}: must hold keys with values");
                break;
        }

        sections.Add(name, section);
        return section;
    }

    /// <summary>To be called when every reader has asked: adds the unknown sections, keys and variables to what was found wrong.</summary>
    /// <returns>All problems in the order of the file, the variables' last; empty if the settings are good.</returns>
    public IReadOnlyList<string> Finish()
    {
        foreach (var (name, entry) in written)
        {
            if (!sections.ContainsKey(name))
            {
                Add(entry.Line, $"{Path}:{entry.Line}: {name}: unknown section{Hint(name, sections.Keys)}; allowed: {string.Join(", ", sections.Keys)}");
            }
        }

        foreach (var section in sections.Values)
        {
            section.Finish();
        }

        var allowed = keys.Select(key => VariableOf(key.Section, key.Key)).ToHashSet();
        foreach (var name in variables.Keys.Where(name => !allowed.Contains(name)))
        {
            Add(int.MaxValue, $"{name}: unknown variable{Hint(name, allowed)}; allowed: {VariablePrefix}SECTION__KEY for the sections and keys of the file");
        }

        return [.. problems.OrderBy(problem => problem.Line).ThenBy(problem => problem.Text, StringComparer.Ordinal).Select(problem => problem.Text)];
    }

    /// <summary>What a message adds where a word looks like another.</summary>
    internal static string Hint(string written, IEnumerable<string> words) =>
        Spelling.Nearest(written, words) is { } nearest ? $", did you mean {nearest}?" : "";

    /// <summary>The variable that overrides a key.</summary>
    internal static string VariableOf(string section, string key) =>
        $"{VariablePrefix}{section}__{key.Replace(".", "__", StringComparison.Ordinal).ToUpperInvariant()}";

    /// <summary>What the environment says of a key.</summary>
    internal SettingValue? Variable(string section, string key)
    {
        var name = VariableOf(section, key);
        return variables.TryGetValue(name, out var text)
            ? new SettingValue(new YamlNode.Scalar(text, text.Length == 0, 0), name, int.MaxValue)
            : null;
    }

    internal void Add(int line, string problem) => problems.Add((line, problem));

    internal void Add(SettingKey key) => keys.Add(key);

    /// <summary>Reads a value that a variable gives in YAML's flow style.</summary>
    internal static bool TryParseFlow(string text, out YamlNode node, out string problem)
    {
        try
        {
            var reader = new YamlReader(Encoding.UTF8.GetBytes(text));
            node = reader.IsEmpty ? new YamlNode.Scalar("", true, 0) : reader.ReadNode();
            reader.End();
            problem = "";
            return true;
        }
        catch (YamlSyntaxException fault)
        {
            node = new YamlNode.Scalar("", true, 0);
            problem = fault.Message;
            return false;
        }
    }

    private void ReadSections()
    {
        if (new FileInfo(Path) is { Exists: true, Length: > MaxBytes })
        {
            throw new IOException($"the file is larger than {Quantity.Format(MaxBytes)}, which no settings are");
        }

        var reader = new YamlReader(File.ReadAllBytes(Path));
        if (reader.IsEmpty)
        {
            throw new YamlSyntaxException(1, "the file is empty; '{}' would say that every default is right");
        }

        if (!reader.TryEnterMapping())
        {
            throw new YamlSyntaxException(reader.Line, "the file must hold sections, such as 'SERVICE:' with keys below");
        }

        while (!reader.TryLeave())
        {
            var (name, line) = reader.ReadKey();
            var entry = new YamlEntry(name, line, reader.ReadNode());
            if (!written.TryAdd(name, entry))
            {
                Add(line, $"{Path}:{line}: {name}: the section is there twice; the first is in line {written[name].Line}");
            }
        }

        reader.End();
    }
}
