using CsCheck;

namespace StatusDaemon.Names;

public sealed class SelectorTests
{
    private static readonly Gen<string> Texts = Gen.Char["ab:*?[]!-19@.é \0ndrumbeoi"].Array[0, 20].Select(chars => new string(chars));

    private static readonly Gen<string> Likely =
        Gen.Select(Gen.OneOf("", "number:", "dname:", "domain:", "Number:", "nmber:", "urn:", "*"), Texts, (prefix, rest) => prefix + rest);

    [Theory]
    [InlineData("*", typeof(Selector.Everyone))]
    [InlineData("6f000000-0000-4000-8000-000000001001", typeof(Selector.One))]
    [InlineData("urn:uuid:6f000000-0000-4000-8000-000000001001", typeof(Selector.One))]
    [InlineData("number:10*", typeof(Selector.ByNumber))]
    [InlineData("dname:*@EXAMPLE.ORG", typeof(Selector.ByDName))]
    [InlineData("domain:Example.ORG", typeof(Selector.ByDomain))]
    public void Its_form_says_whom_it_speaks_of(string text, Type kind)
    {
        Assert.True(Selector.TryParse(text, out var selector, out var problem));
        Assert.IsType(kind, selector);
        Assert.Empty(problem);
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("number:")]
    [InlineData("number:[1")]
    [InlineData("domain:")]
    [InlineData("domain:*")]
    [InlineData("nmber:1")]
    [InlineData("Number:1")]
    [InlineData("a\u0085b")]
    public void What_would_silently_mean_nobody_is_refused_in_words(string? text)
    {
        Assert.False(Selector.TryParse(text, out _, out var problem));
        Assert.Contains("is not a selector", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_read_and_written_is_read_the_same() =>
        Likely.Sample(text => !Selector.TryParse(text, out var selector, out _)
            || (Selector.TryParse(selector.ToString(), out var again, out _) && again.Equals(selector)));
}
