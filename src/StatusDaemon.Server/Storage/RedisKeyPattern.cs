using System.Diagnostics.CodeAnalysis;
using StatusDaemon.Settings;

namespace StatusDaemon.Storage;

/// <summary>Patterns of Redis keys, such as <c>status:{uid}</c>.</summary>
internal static class RedisKeyPattern
{
    /// <summary>Reads a pattern.</summary>
    /// <param name="fields">The fields it may use; it uses at least one of them, each at most once. None of them: a plain key.</param>
    public static string Read(SettingsSection section, string key, string fallback, params string[] fields)
    {
        var allowed = fields.Length == 0 ? "a key" : $"a key with {string.Join(", ", fields.Select(field => $"{{{field}}}"))}";
        return section.Value(key, fallback, fallback, allowed, (string text, [MaybeNullWhen(false)] out string pattern) =>
        {
            pattern = text;
            return text.Length > 0 && IsPattern(text, fields);
        });
    }

    private static bool IsPattern(string text, string[] fields)
    {
        var used = fields.Where(field => text.Contains($"{{{field}}}", StringComparison.Ordinal)).ToArray();
        var rest = used.Aggregate(text, (left, field) => ReplaceOnce(left, $"{{{field}}}"));
        return (used.Length > 0 || fields.Length == 0) && !rest.AsSpan().ContainsAny('{', '}') && !rest.Any(char.IsControl);
    }

    private static string ReplaceOnce(string text, string part)
    {
        var at = text.IndexOf(part, StringComparison.Ordinal);
        return text.Remove(at, part.Length);
    }
}
