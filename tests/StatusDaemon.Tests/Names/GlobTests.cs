using CsCheck;

namespace StatusDaemon.Names;

public sealed class GlobTests
{
    private static readonly Gen<string> Texts = Gen.Char["abc0-]"].Array[0, 8].Select(chars => new string(chars));

    private static readonly Gen<string> Patterns =
        Gen.OneOf("*", "?", "a", "b", "c", "0", "-", "]", "[a-c]", "[!a]", "[^b-c]", "[]a]", "[a-]", "[!]]", "[ab0]").Array[1, 7].Select(string.Concat);

    [Theory]
    [InlineData("10*", "1001", true)]
    [InlineData("10*", "10", true)]
    [InlineData("10*", "2010", false)]
    [InlineData("10?1", "1001", true)]
    [InlineData("10?1", "101", false)]
    [InlineData("100[5-8]", "1005", true)]
    [InlineData("100[!5-8]", "1005", false)]
    [InlineData("*@A", "x@A@A", true)]
    [InlineData("a", "A", false)]
    [InlineData("[a-]", "-", true)]
    [InlineData("[]]", "]", true)]
    [InlineData("**", "", true)]
    public void It_fits_the_whole_text(string pattern, string text, bool fits) => Assert.Equal(fits, Parse(pattern).Matches(text));

    [Theory, InlineData(""), InlineData("["), InlineData("a[b"), InlineData("[]"), InlineData("[!]"), InlineData("a\tb"), InlineData("a\u0085")]
    public void A_broken_pattern_is_refused(string pattern) => Assert.False(Glob.TryParse(pattern, out _));

    [Fact]
    public void A_pattern_that_is_too_long_is_refused()
    {
        Assert.True(Glob.TryParse(new string('*', Glob.MaxLength), out _));
        Assert.False(Glob.TryParse(new string('*', Glob.MaxLength + 1), out _));
    }

    [Fact]
    public void It_agrees_with_the_definition() =>
        Gen.Select(Patterns, Texts).Sample((pattern, text) => Parse(pattern).Matches(text) == Fits(pattern, text), iter: 20_000, threads: 1);

    [Fact]
    public void The_default_fits_nothing() => Assert.False(default(Glob).Matches(""));

    [Fact]
    public void A_hostile_pattern_takes_no_exponential_time() =>
        Assert.False(Parse(string.Concat(Enumerable.Repeat("*a", 100)) + "b").Matches(new string('a', 5_000)));

    private static Glob Parse(string pattern)
    {
        Assert.True(Glob.TryParse(pattern, out var glob));
        return glob;
    }

    // The definition, read aloud: try every length for a star.
    private static bool Fits(string pattern, string text)
    {
        if (pattern.Length == 0)
        {
            return text.Length == 0;
        }

        if (pattern[0] == '*')
        {
            return Enumerable.Range(0, text.Length + 1).Any(taken => Fits(pattern[1..], text[taken..]));
        }

        if (text.Length == 0)
        {
            return false;
        }

        if (pattern[0] != '[')
        {
            return (pattern[0] == '?' || pattern[0] == text[0]) && Fits(pattern[1..], text[1..]);
        }

        var negated = pattern[1] is '!' or '^';
        var first = negated ? 2 : 1;
        var end = pattern.IndexOf(']', first + 1);
        var members = pattern[first..end];
        var isMember = "abc0-]".Where(c => IsMember(members, c)).Contains(text[0]);
        return isMember != negated && Fits(pattern[(end + 1)..], text[1..]);
    }

    private static bool IsMember(string members, char c) => members switch
    {
        [var low, '-', var high, .. var rest] => (low <= c && c <= high) || IsMember(rest, c),
        [var one, .. var rest] => one == c || IsMember(rest, c),
        _ => false,
    };
}
