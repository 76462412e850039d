using System.Diagnostics.CodeAnalysis;
using System.Text;
using StatusDaemon.Settings;

namespace StatusDaemon.Redis;

/// <summary>How keys of one kind are named, such as <c>status:{uid}</c>: builds keys, and reads what is in one.</summary>
internal sealed class RedisKeyPattern
{
    // One more literal than there are fields: before, between and after them.
    private readonly string[] literals;
    private readonly string[] fields;

    private RedisKeyPattern(string text, string[] literals, string[] fields)
    {
        Text = text;
        this.literals = literals;
        this.fields = fields;
    }

    /// <summary>As it was written.</summary>
    public string Text { get; }

    /// <summary>The fields in the order of the text.</summary>
    public IReadOnlyList<string> Fields => fields;

    /// <summary>How many characters stand beside the fields: of two patterns that a key fits, the one with more means it.</summary>
    public int LiteralLength => literals.Sum(literal => literal.Length);

    /// <summary>A pattern of Redis' own that every such key fits, and perhaps others.</summary>
    public string Glob
    {
        get
        {
            var glob = new StringBuilder();
            foreach (var (index, literal) in literals.Index())
            {
                glob.Append(index == 0 ? "" : "*");
                foreach (var character in literal)
                {
                    glob.Append(character is '*' or '?' or '[' or ']' or '\\' or '^' ? "\\" : "").Append(character);
                }
            }

            return glob.ToString();
        }
    }

    /// <summary>Reads a pattern of the settings.</summary>
    /// <param name="fields">The fields it may use; it uses at least one of them, each at most once. None of them: a plain key.</param>
    public static RedisKeyPattern Read(SettingsSection section, string key, string fallback, params string[] fields)
    {
        var allowed = fields.Length == 0 ? "a key" : $"a key with {string.Join(", ", fields.Select(field => $"{{{field}}}"))}";
        return section.Value(key, Parse(fallback, fields), fallback, allowed, (string text, [MaybeNullWhen(false)] out RedisKeyPattern pattern) => TryParse(text, fields, out pattern));
    }

    /// <summary>A pattern that is known to be good.</summary>
    /// <exception cref="ArgumentException">It is not.</exception>
    public static RedisKeyPattern Parse(string text, params string[] fields) =>
        TryParse(text, fields, out var pattern) ? pattern : throw new ArgumentException($"'{text}' is no pattern of {string.Join(", ", fields)}", nameof(text));

    /// <summary>The key with these values in the place of the fields.</summary>
    public string Key(Func<string, string> valueOf)
    {
        var key = new StringBuilder(literals[0]);
        foreach (var (index, field) in fields.Index())
        {
            key.Append(valueOf(field)).Append(literals[index + 1]);
        }

        return key.ToString();
    }

    /// <summary>The key of a pattern with one field.</summary>
    public string Key(string value) => string.Concat(literals[0], value, literals[1]);

    /// <summary>Reads the only field of a key.</summary>
    /// <returns>False if the key does not fit.</returns>
    public bool TryReadOne(ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)
    {
        var before = Encoding.UTF8.GetByteCount(literals[0]);
        var after = Encoding.UTF8.GetByteCount(literals[1]);
        value = default;
        Span<byte> literal = stackalloc byte[Math.Max(before, after)];
        if (key.Length <= before + after
            || !key.StartsWith(literal[..Encoding.UTF8.GetBytes(literals[0], literal)])
            || !key.EndsWith(literal[..Encoding.UTF8.GetBytes(literals[1], literal)]))
        {
            return false;
        }

        value = key[before..^after];
        return true;
    }

    /// <summary>Reads the fields of a key; where a literal is there more than once the first place counts.</summary>
    /// <param name="values">In the order of <see cref="Fields"/>, none of them empty.</param>
    /// <returns>False if the key does not fit.</returns>
    public bool TryRead(string key, [NotNullWhen(true)] out string[]? values)
    {
        values = null;
        if (!key.StartsWith(literals[0], StringComparison.Ordinal))
        {
            return false;
        }

        var found = new string[fields.Length];
        var at = literals[0].Length;
        for (var field = 0; field < fields.Length; field++)
        {
            var literal = literals[field + 1];
            var isLast = field == fields.Length - 1;
            var end = !isLast ? key.IndexOf(literal, at, StringComparison.Ordinal)
                : key.EndsWith(literal, StringComparison.Ordinal) ? key.Length - literal.Length
                : -1;
            if (end <= at)
            {
                return false;
            }

            found[field] = key[at..end];
            at = end + literal.Length;
        }

        values = found;
        return at == key.Length;
    }

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static bool TryParse(string text, string[] allowed, [NotNullWhen(true)] out RedisKeyPattern? pattern)
    {
        pattern = null;
        var places = allowed
            .Select(field => (Field: field, At: text.IndexOf($"{{{field}}}", StringComparison.Ordinal)))
            .Where(place => place.At >= 0)
            .OrderBy(place => place.At)
            .ToArray();
        var literals = new List<string>();
        var at = 0;
        foreach (var (field, place) in places)
        {
            literals.Add(text[at..place]);
            at = place + field.Length + 2;
        }

        literals.Add(text[at..]);
        if (text.Length == 0
            || (places.Length == 0 && allowed.Length > 0)
            || literals.Any(literal => literal.AsSpan().ContainsAny('{', '}') || literal.Any(char.IsControl))
            || literals.Skip(1).SkipLast(1).Any(literal => literal.Length == 0))
        {
            return false; // two fields side by side could not be told apart
        }

        pattern = new RedisKeyPattern(text, [.. literals], [.. places.Select(place => place.Field)]);
        return true;
    }
}
