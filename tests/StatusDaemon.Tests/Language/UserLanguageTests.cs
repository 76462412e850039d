namespace StatusDaemon.Language;

public sealed class UserLanguageTests
{
    [Theory]
    [InlineData("LANG=ru_RU.UTF-8", "ru")]
    [InlineData("LANG=ru", "ru")]
    [InlineData("LANG=RU@dict", "ru")]
    [InlineData("LC_MESSAGES=ru_RU LANG=en_US.UTF-8", "ru")]
    [InlineData("LC_ALL=C LC_MESSAGES=ru_RU LANG=ru_RU", "")]
    [InlineData("LC_ALL= LANG=ru_RU", "ru")]
    [InlineData("LANG=run_RU", "")]
    [InlineData("LANG=de_DE.UTF-8", "")]
    [InlineData("", "")]
    public void The_first_variable_that_is_not_empty_decides(string environment, string language)
    {
        var variables = environment.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]);

        Assert.Equal(language, UserLanguage.From(variables.GetValueOrDefault).Name);
    }
}
