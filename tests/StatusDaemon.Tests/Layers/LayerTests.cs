using System.Text.RegularExpressions;
using System.Xml.Linq;
using StatusDaemon.Settings;

namespace StatusDaemon.Layers;

/// <summary>The one direction: a file uses its own folder and those that ARCHITECTURE.md lists before it.</summary>
public sealed partial class LayerTests
{
    private static readonly string Source = Path.Combine(Repository.Root, "src");

    /// <summary>The rooms as ARCHITECTURE.md lists them; what stands beside a project's rooms comes after them, since it puts them together.</summary>
    private static readonly string[] Layers = [.. InOrder(File.ReadLines(Path.Combine(Repository.Root, "ARCHITECTURE.md")))];

    private static readonly Dictionary<string, string> LayerOfNamespace = Layers.Where(layer => layer.Contains('/', StringComparison.Ordinal)).ToDictionary(layer => $"StatusDaemon.{layer.Split('/')[1]}");

    public static TheoryData<string> Files => [.. Directory
        .EnumerateFiles(Source, "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Split(Path.DirectorySeparatorChar).Any(folder => folder is "obj" or "bin"))
        .Select(file => Path.GetRelativePath(Source, file))
        .Order(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(Files))]
    public void A_file_uses_no_folder_that_comes_later(string file)
    {
        var own = Array.IndexOf(Layers, LayerOf(file));
        Assert.True(own >= 0, $"{file} is in a folder that the house does not list");
        var later = UsedNamespace().Matches(Read(file))
            .Select(match => LayerOfNamespace.GetValueOrDefault(match.Value))
            .Where(used => used is not null && Array.IndexOf(Layers, used) > own)
            .Distinct();
        Assert.Empty(later);
    }

    [Fact]
    public void Every_folder_with_code_is_a_room_of_the_document_and_every_room_has_code() =>
        Assert.Equal(Files.Select(file => LayerOf(file.Data)).Distinct().Order(), Layers.Order());

    [Theory, MemberData(nameof(Files))]
    public void A_folder_is_a_namespace(string file)
    {
        var layer = LayerOf(file);
        var declared = DeclaredNamespace().Match(Read(file));
        Assert.True(!declared.Success || declared.Groups[1].Value == (layer.Contains('/', StringComparison.Ordinal) ? $"StatusDaemon.{layer.Split('/')[1]}" : "StatusDaemon"), $"{file} declares {declared.Groups[1].Value}");
    }

    /// <summary>A family of small types may share a file: then the file has the name of one of them, and each of the others is a record, a struct, an enum, a delegate or an interface.</summary>
    [Theory, MemberData(nameof(Files))]
    public void A_file_has_one_type_and_its_name(string file)
    {
        var types = TopLevelType().Matches(Read(file)).Select(match => (Kind: match.Groups[1].Value, Name: match.Groups[2].Value)).Distinct().ToArray();
        if (types.Length == 0)
        {
            Assert.Equal("Program.cs", Path.GetFileName(file)); // top-level statements
            return;
        }

        var name = Path.GetFileNameWithoutExtension(file);
        Assert.Contains(types, type => type.Name == name);
        Assert.All(types.Where(type => type.Name != name), type => Assert.True(IsSmall(type.Kind) || Generated().IsMatch(type.Name), $"{file} also has {type.Kind} {type.Name}"));
    }

    [Theory, MemberData(nameof(Files))]
    public void No_type_takes_the_name_of_a_folder(string file)
    {
        var folders = Layers.Select(layer => layer.Split('/')[^1]).ToHashSet();
        Assert.DoesNotContain(TopLevelType().Matches(Read(file)), match => folders.Contains(match.Groups[2].Value));
    }

    [Theory]
    [InlineData("Core")]
    [InlineData("Server", "Core")]
    [InlineData("Cli", "Server")]
    public void Projects_see_each_other_in_one_direction(string project, params string[] seen)
    {
        var references = ProjectOf(project).Descendants("ProjectReference").Select(reference => Path.GetFileNameWithoutExtension((string)reference.Attribute("Include")!));
        Assert.Subset(seen.Append("Core").Where(name => name != project).Select(name => $"StatusDaemon.{name}").ToHashSet(), references.ToHashSet());
    }

    [Fact]
    public void Core_has_no_package_at_run_time()
    {
        var packages = ProjectOf("Core").Descendants().Where(element => element.Name.LocalName is "PackageReference" or "FrameworkReference");
        Assert.All(packages, package => Assert.Equal("all", (string?)package.Attribute("PrivateAssets")));
    }

    private static IEnumerable<string> InOrder(IEnumerable<string> lines)
    {
        string? project = null;
        foreach (var row in lines.Select(line => Row().Match(line)).Where(row => row.Success))
        {
            if (row.Groups["project"] is { Success: true, Value: var next })
            {
                if (project is not null && HasCode(project))
                {
                    yield return project;
                }

                project = next;
            }
            else
            {
                yield return $"{project}/{row.Groups["room"].Value}";
            }
        }

        yield return project!;
    }

    /// <summary>Core is nothing but its rooms; the others have files of their own.</summary>
    private static bool HasCode(string project) => Directory.EnumerateFiles(Path.Combine(Source, $"StatusDaemon.{project}"), "*.cs").Any();

    private static XDocument ProjectOf(string name) => XDocument.Load(Path.Combine(Source, $"StatusDaemon.{name}", $"StatusDaemon.{name}.csproj"));

    private static bool IsSmall(string kind) => kind.Contains("record", StringComparison.Ordinal) || kind is "enum" or "interface" or "struct" || kind.StartsWith("delegate", StringComparison.Ordinal);

    private static string LayerOf(string file)
    {
        var parts = file.Split(Path.DirectorySeparatorChar);
        var project = parts[0]["StatusDaemon.".Length..];
        return parts.Length > 2 ? $"{project}/{parts[1]}" : project;
    }

    /// <summary>The code of a file; a comment may speak of anything.</summary>
    private static string Read(string file) => Comment().Replace(File.ReadAllText(Path.Combine(Source, file)), "");

    [GeneratedRegex(@"^\| (\*\*src/StatusDaemon\.(?<project>\w+)\*\*|`(?<room>\w+)/`) \|")]
    private static partial Regex Row();

    [GeneratedRegex(@"^\s*//.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"\bStatusDaemon\.\w+")]
    private static partial Regex UsedNamespace();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex DeclaredNamespace();

    [GeneratedRegex(@"^(?:public|internal) (?:(?:static|sealed|abstract|partial|readonly|ref|unsafe) )*(record struct|record class|record|class|struct|enum|interface|delegate \w+) (\w+)", RegexOptions.Multiline)]
    private static partial Regex TopLevelType();

    // Validators and serializer contexts, whose bodies are generated.
    [GeneratedRegex("(Validator|JsonContext)$")]
    private static partial Regex Generated();
}
