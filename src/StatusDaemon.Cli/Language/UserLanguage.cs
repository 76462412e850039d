using System.Globalization;

namespace StatusDaemon.Language;

/// <summary>The language in which the user is spoken to: Russian under a Russian locale, else English.</summary>
internal static class UserLanguage
{
    /// <summary>Reads the locale as POSIX ranks its variables: the first of <c>LC_ALL</c>, <c>LC_MESSAGES</c>, <c>LANG</c> that is not empty.</summary>
    /// <remarks>Numbers and dates keep the invariant form in both languages: scripts read them.</remarks>
    public static CultureInfo From(Func<string, string?> variable)
    {
        string[] byRank = ["LC_ALL", "LC_MESSAGES", "LANG"];
        var locale = byRank.Select(variable).FirstOrDefault(value => !string.IsNullOrEmpty(value)) ?? "";
        var language = locale.AsSpan(0, locale.AsSpan().IndexOfAny("_.@") is var end and >= 0 ? end : locale.Length);
        return language.Equals("ru", StringComparison.OrdinalIgnoreCase) ? CultureInfo.GetCultureInfo("ru") : CultureInfo.InvariantCulture;
    }
}
