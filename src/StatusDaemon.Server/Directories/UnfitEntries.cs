using System.Text;
using Microsoft.Extensions.Logging;

namespace StatusDaemon.Directories;

/// <summary>Entries of the privilege database that can't be taken, each told once until it is mended. One owner; any thread may ask how many.</summary>
internal sealed partial class UnfitEntries(ILogger log)
{
    /// <summary>Most that are remembered; of more nothing is said.</summary>
    public const int Most = 10_000;

    private readonly Dictionary<PrivilegeItem, string> problems = [];

    private volatile int count;

    /// <summary>Entries that can't be taken now, or <see cref="Most"/>.</summary>
    public int Count => count;

    /// <summary>Notes what is wrong with an entry, and tells it if it is news.</summary>
    /// <param name="problem">Null if nothing is.</param>
    public void Note(PrivilegeItem item, string? problem)
    {
        if (IsNews(item, problem))
        {
            LogUnfit(item.Kind, item.Name, problem!);
        }
    }

    /// <summary>The same of a key whose name is the problem.</summary>
    public void NoteKey(byte[] key, PrivilegeItem item, string problem)
    {
        if (IsNews(item, problem))
        {
            LogUnfitKey(Encoding.UTF8.GetString(key), problem);
        }
    }

    /// <summary>Forgets those that a sweep has not seen.</summary>
    public void ForgetUnless(Func<PrivilegeItem, bool> isThere)
    {
        foreach (var gone in problems.Keys.Where(item => !isThere(item)).ToArray())
        {
            problems.Remove(gone);
        }

        count = problems.Count;
    }

    private bool IsNews(PrivilegeItem item, string? problem)
    {
        if (problem is null)
        {
            if (problems.Remove(item))
            {
                count = problems.Count;
            }

            return false;
        }

        var isNews = !problems.TryGetValue(item, out var before) || before != problem;
        if (isNews && (before is not null || problems.Count < Most))
        {
            problems[item] = problem;
            count = problems.Count;
            return true;
        }

        return false;
    }

    [LoggerMessage(5103, LogLevel.Warning, "The privilege database says of {Kind} {Name} what can't be taken: {Problem}.")]
    private partial void LogUnfit(PrivilegeKind kind, string name, string problem);

    [LoggerMessage(5108, LogLevel.Warning, "The privilege database has the key {Key}, which can't be taken: {Problem}.")]
    private partial void LogUnfitKey(string key, string problem);
}
