using System.Text.RegularExpressions;
using StatusDaemon.Settings;

namespace StatusDaemon.Tests.Layers;

/// <summary>ARCHITECTURE.md lists the rooms in order: a file uses only its own room and those above it.</summary>
public sealed partial class LayerTests
{
    /// <summary>The rooms as the document lists them; a project's own folder, such as <c>src/StatusDaemon.Server</c>, comes after its rooms, since it puts them together.</summary>
    private static readonly string[] Listed = [.. InOrder(File.ReadLines(Path.Combine(Repository.Root, "ARCHITECTURE.md")))];

    private static readonly (string Room, string File, string[] Uses)[] Files =
    [
        .. Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Repository.Root, file))
            .Where(file => !file.Split('/').Any(folder => folder is "bin" or "obj"))
            .Select(file => (Path.GetDirectoryName(file)!, file, File.ReadLines(Path.Combine(Repository.Root, file))
                .Select(line => Using.Match(line)).Where(match => match.Success).Select(match => match.Groups["room"].Value).ToArray())),
    ];

    [Fact]
    public void Every_folder_with_code_is_a_room_of_the_document_and_every_room_has_code() =>
        Assert.Equal(Files.Select(file => file.Room).Distinct().Order(), Listed.Order());

    [Fact]
    public void A_file_uses_only_its_own_room_and_those_above_it() => Assert.Empty(
        from file in Files
        from used in file.Uses
        where Array.FindIndex(Listed, room => Path.GetFileName(room) == used) is var at && (at < 0 || at > Array.IndexOf(Listed, file.Room))
        select $"{file.File} uses {used}");

    private static IEnumerable<string> InOrder(IEnumerable<string> lines)
    {
        string? project = null;
        foreach (var row in lines.Select(line => Row.Match(line)).Where(row => row.Success))
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
    private static bool HasCode(string project) => Directory.EnumerateFiles(Path.Combine(Repository.Root, project), "*.cs").Any();

    [GeneratedRegex(@"^\| (\*\*(?<project>src/[\w.]+)\*\*|`(?<room>\w+)/`) \|")]
    private static partial Regex Row { get; }

    [GeneratedRegex(@"^using StatusDaemon\.(?<room>\w+);")]
    private static partial Regex Using { get; }
}
