using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Unicode;
using StackExchange.Redis;
using StatusDaemon.Names;
using StatusDaemon.Privileges;

namespace StatusDaemon.Directories;

/// <summary>Reads what values of the privilege database say. What can't be read never shows anybody to more people (decision 0018). Any thread may call.</summary>
internal sealed class PrivilegeValues
{
    /// <summary>A look-up whose key is no string.</summary>
    public static readonly PrivilegeFact NoText = new PrivilegeFact.LookUp(null) { Problem = "it is no string; it leads to nobody" };

    /// <summary>The domain of whom nobody can tell the domain: no selector names it, and where SYNC.domain is set it is another one.</summary>
    public const string UnreadableDomain = "unreadable.invalid";

    /// <summary>Texts that are kept to share what was read of them.</summary>
    private const int MaxShared = 4096;

    private readonly ConcurrentDictionary<string, Selector> selectors = [];
    private readonly ConcurrentDictionary<string, DomainName> domains = [];

    /// <summary>Whom a look-up leads to.</summary>
    public static PrivilegeFact ReadLookUp(RedisValue value) =>
        value.IsNull ? new PrivilegeFact.LookUp(null)
        : Uid.TryParse(((byte[])value!).AsSpan(), out var uid) ? new PrivilegeFact.LookUp(uid)
        : new PrivilegeFact.LookUp(null) { Problem = "its value is no UID; it leads to nobody" };

    /// <summary>What a hash shows of a subscriber.</summary>
    /// <param name="fields">Null if it is no hash.</param>
    public PrivilegeFact ReadDescription(HashEntry[]? fields)
    {
        if (fields is null)
        {
            return new PrivilegeFact.Display(null) { Problem = "it is no hash; nothing is shown of it" };
        }

        if (fields.Length == 0)
        {
            return new PrivilegeFact.Display(null);
        }

        var shown = new Description();
        List<string> problems = [];
        foreach (var field in fields)
        {
            var isText = TryReadText(field.Value, out var text);
            switch ((string?)field.Name)
            {
                case "dname" when !isText || text.Length > 0:
                    shown = DName.TryParse(text, out var dname) ? shown with { DName = dname } : Refuse(shown, "its dname is no domain name");
                    break;
                case "numbers" when !isText:
                    shown = Refuse(shown, "its numbers are no UTF-8");
                    break;
                case "numbers":
                    shown = shown with { Numbers = ReadNumbers(text, problems) };
                    break;
                case "domain" when !isText || text.Length > 0:
                    shown = shown with { Domain = TryReadDomain(text, out var domain) ? domain : Unreadable() };
                    break;
                case "name":
                    shown = isText && text.Length <= DirectoryReading.MaxNameLength && !text.Any(char.IsControl) ? shown with { Name = text } : Refuse(shown, "its name is too long, has control characters or is no UTF-8");
                    break;
            }
        }

        return new PrivilegeFact.Display(shown) { Problem = problems.Count == 0 ? null : string.Join("; ", problems) };

        Description Refuse(Description unchanged, string problem)
        {
            problems.Add(problem);
            return unchanged;
        }

        DomainName Unreadable()
        {
            problems.Add($"its domain is none; it counts as {UnreadableDomain}");
            return DomainName.TryParse(UnreadableDomain, out var name) ? name : default;
        }
    }

    /// <summary>Who may see a subscriber.</summary>
    /// <param name="black">Members of the set; null if it is no set.</param>
    /// <param name="white">Members of the set; null if it is no set.</param>
    /// <remarks>A black entry that can't be read may mean anybody, so it hides from everybody. A white one that can't be read shows nobody: it is left out, but the list does not become empty by it.</remarks>
    public PrivilegeFact ReadRules(RedisValue[]? black, RedisValue[]? white)
    {
        var hides = new HashSet<Selector>();
        var shows = new HashSet<Selector>();
        string? problem = null;
        if (!TryReadSelectors(black, hides, out var wrong))
        {
            hides.Clear();
            hides.Add(new Selector.Everyone());
            problem = $"black: {wrong}; the subscriber is hidden from everybody";
        }

        if (!TryReadSelectors(white, shows, out wrong))
        {
            if (shows.Count == 0)
            {
                hides.Add(new Selector.Everyone());
            }

            problem = $"{(problem is null ? "" : problem + "; ")}white: {wrong}; it is left out{(shows.Count == 0 ? ", and the subscriber hidden from everybody" : "")}";
        }

        return new PrivilegeFact.Lists(hides, shows) { Problem = problem };
    }

    /// <summary>Reads text. What is no UTF-8 is none: replaced by U+FFFD it would be another selector, which names nobody.</summary>
    private static bool TryReadText(RedisValue value, out string text)
    {
        var utf8 = (byte[]?)value ?? [];
        text = Utf8.IsValid(utf8) ? Encoding.UTF8.GetString(utf8) : "";
        return text.Length > 0 || utf8.Length == 0;
    }

    private static List<PhoneNumber> ReadNumbers(string text, List<string> problems)
    {
        List<PhoneNumber> numbers = [];
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (PhoneNumber.TryParse(part, out var number))
            {
                numbers.Add(number);
            }
            else if (problems.Count == 0)
            {
                problems.Add("its numbers are not all phone numbers; those that are none are not shown");
            }
        }

        return numbers;
    }

    private bool TryReadDomain(string text, out DomainName domain)
    {
        if (domains.TryGetValue(text, out domain))
        {
            return true;
        }

        if (!DomainName.TryParse(text, out domain))
        {
            return false;
        }

        if (domains.Count < MaxShared)
        {
            domains.TryAdd(text, domain);
        }

        return true;
    }

    private bool TryReadSelectors(RedisValue[]? members, HashSet<Selector> into, [NotNullWhen(false)] out string? problem)
    {
        problem = members is null ? "it is no set" : null;
        foreach (var member in members ?? [])
        {
            if (TryReadSelector(member, out var selector, out var wrong))
            {
                into.Add(selector);
            }
            else
            {
                problem ??= wrong;
            }
        }

        return problem is null;
    }

    private bool TryReadSelector(RedisValue member, [NotNullWhen(true)] out Selector? selector, out string problem)
    {
        (selector, problem) = (null, "an entry is no UTF-8");
        if (!TryReadText(member, out var text))
        {
            return false;
        }

        if (selectors.TryGetValue(text, out selector))
        {
            return true;
        }

        if (!Selector.TryParse(text, out selector, out problem))
        {
            return false;
        }

        if (selectors.Count < MaxShared)
        {
            selectors.TryAdd(text, selector);
        }

        return true;
    }
}
