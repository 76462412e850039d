using CsCheck;

namespace StatusDaemon.Imitation;

/// <summary>docs/protocol.md §13.</summary>
public sealed class BackOffTests
{
    private static readonly Gen<double> Chance = Gen.Double[0, 1];

    [Theory]
    [InlineData(0, 0, false, 0.5, 0.5)]
    [InlineData(0, 0, false, 1, 1)]
    [InlineData(3, 0, false, 1, 8)]
    [InlineData(6, 0, false, 1, 60)]
    [InlineData(2_000_000, 0, false, 1, 60)]
    [InlineData(0, 0, true, 1, 5)]
    [InlineData(4, 0, true, 1, 16)]
    [InlineData(0, 5, false, 0, 5)]
    [InlineData(0, 5, false, 1, 6)]
    [InlineData(0, 120, false, 0, 120)]
    public void The_longest_wait_doubles_and_the_server_may_ask_for_more(int failures, int atLeast, bool restarts, double chance, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), BackOff.Before(failures, TimeSpan.FromSeconds(atLeast), restarts, chance));

    [Fact]
    public void The_first_wait_is_anywhere_in_a_second_and_after_a_restart_in_five() =>
        Gen.Select(Chance, Gen.Bool).Sample((chance, restarts) =>
            BackOff.Before(0, TimeSpan.Zero, restarts, chance) is var wait && wait >= TimeSpan.Zero && wait <= TimeSpan.FromSeconds(restarts ? 5 : 1));

    [Fact]
    public void It_is_never_less_than_the_server_asked_for_nor_a_minute_more() =>
        Gen.Select(Gen.Int[0, int.MaxValue], Gen.Int[0, 86_400], Gen.Bool, Chance).Sample((failures, asked, restarts, chance) =>
            BackOff.Before(failures, TimeSpan.FromSeconds(asked), restarts, chance) - TimeSpan.FromSeconds(asked) is var more && more >= TimeSpan.Zero && more <= TimeSpan.FromMinutes(1));

    [Fact]
    public void A_further_failure_never_shortens_the_longest_wait() =>
        Gen.Select(Gen.Int[0, 100], Gen.Bool).Sample((failures, restarts) =>
            BackOff.Before(failures, TimeSpan.Zero, restarts, 1) <= BackOff.Before(failures + 1, TimeSpan.Zero, restarts, 1));
}
