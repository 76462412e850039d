using System.Collections;
using System.Globalization;
using System.Text.RegularExpressions;

namespace StatusDaemon.Language;

public sealed partial class TextTests
{
    [Fact]
    public void Russian_has_every_text_with_the_same_places_to_fill()
    {
        var english = Places("");
        var russian = Places("ru");

        Assert.NotEmpty(english);
        Assert.Equal(english, russian);
    }

    [Fact]
    public void Every_text_is_translated()
    {
        var russian = Texts("ru");

        Assert.Empty(Texts("").Where(text => text.Value == russian[text.Key]).Select(text => text.Key));
    }

    private static SortedDictionary<string, string> Places(string language) =>
        new(Texts(language).ToDictionary(text => text.Key, text => string.Join(" ", Place().Matches(text.Value).Select(match => match.Value).Order())), StringComparer.Ordinal);

    private static Dictionary<string, string> Texts(string language) =>
        Text.ResourceManager.GetResourceSet(CultureInfo.GetCultureInfo(language), createIfNotExists: true, tryParents: false)!
            .Cast<DictionaryEntry>().ToDictionary(entry => (string)entry.Key, entry => (string)entry.Value!);

    [GeneratedRegex(@"\{\d+[^}]*\}")]
    private static partial Regex Place();
}
