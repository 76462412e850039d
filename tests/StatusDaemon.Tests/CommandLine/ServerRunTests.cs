using System.Globalization;

namespace StatusDaemon.CommandLine;

public sealed class ServerRunTests
{
    private static readonly DateTimeOffset Now = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("")]
    [InlineData("ru")]
    public void How_people_log_in_is_told_in_one_language(string language)
    {
        CultureInfo.CurrentUICulture = CultureInfo.GetCultureInfo(language);
        LoginReport[] logins =
        [
            new LoginReport.TrustedHeader("?"),
            new LoginReport.Kerberos([], ["?"], ["?"], [new LoginWarning.ClockUnset(Now), new LoginWarning.KeyFromTheFuture(Now, Now)]),
        ];

        var lines = logins.SelectMany(ServerRun.Describe).ToArray();

        Assert.Equal(4, lines.Length);
        Assert.All(lines, line => Assert.Equal(language == "ru", line.Any(c => c is >= '\u0400' and <= '\u04FF')));
    }

    [Fact]
    public async Task Who_is_stopped_before_the_start_ends_with_0()
    {
        await using var output = new StringWriter();
        var settings = Path.Combine(Settings.Repository.Root, "config", "settings.yml");

        Assert.Equal(0, await new ServerRun(settings, output).RunAsync(ServerModules.All, settings, new CancellationToken(canceled: true)));
        Assert.Empty(output.ToString());
    }

    [Fact]
    public void A_client_needs_no_settings_unless_it_names_them()
    {
        var none = Path.Combine(Path.GetTempPath(), "no-such-" + Guid.NewGuid(), "settings.yml");
        var run = new ServerRun(none, TextWriter.Null);

        Assert.Equal(8080, run.ReadClientDefaults(none).Port);
        Assert.Throws<Imitation.CommandFailedException>(() => run.ReadClientDefaults(none + ".other"));
    }
}
