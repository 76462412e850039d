namespace StatusDaemon.Imitation;

public sealed class BackOffTests
{
    [Theory]
    [InlineData(0, 0, 0.25)]
    [InlineData(0, 1, 0.5)]
    [InlineData(3, 0, 2)]
    [InlineData(3, 1, 4)]
    [InlineData(5, 1, 15)]
    [InlineData(2_000_000, 0, 7.5)]
    public void The_wait_doubles_up_to_a_bound_and_half_of_it_is_chance(int attempt, double jitter, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), BackOff.Before(attempt, jitter));
}
