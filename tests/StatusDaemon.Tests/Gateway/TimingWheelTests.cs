using CsCheck;

namespace StatusDaemon.Gateway;

public sealed class TimingWheelTests
{
    // Some within the wheel's reach, some far beyond it, some due already; and steps of time from none to several rounds.
    private static readonly Gen<(TimeSpan Wait, TimeSpan Pass)[]> Doings = Gen.Select(Gen.Int[-3_000, 200_000], Gen.OneOf(Gen.Int[0, 900], Gen.Int[0, 150_000]))
        .Select(one => (TimeSpan.FromMilliseconds(one.Item1), TimeSpan.FromMilliseconds(one.Item2))).Array[1, 60];

    [Fact]
    public void Everything_comes_once_not_before_its_time_and_less_than_a_step_after_it() => Gen.Select(Doings, Gen.Int[0, 100_000]).Sample(given =>
    {
        var (doings, start) = given;
        var now = TimeSpan.FromMilliseconds(start);
        var wheel = new TimingWheel<int>(now);
        var due = new Dictionary<int, TimeSpan>();
        for (var number = 0; number < doings.Length; number++)
        {
            var at = now + doings[number].Wait;
            at = at < TimeSpan.Zero ? TimeSpan.Zero : at;
            wheel.Add(number, at);
            due.Add(number, at < now ? now : at);
            now += doings[number].Pass;
            while (wheel.TryNext(now, out var came))
            {
                Assert.True(due.Remove(came, out var its));
                Assert.True(its <= now);
            }

            Assert.All(due.Values, one => Assert.True(one > now - TimingWheel<int>.Step));
            Assert.Equal(due.Count, wheel.Count);
        }
    });

    [Fact]
    public void What_is_put_in_while_things_are_taken_out_comes_later()
    {
        var wheel = new TimingWheel<int>(TimeSpan.Zero);
        wheel.Add(1, TimeSpan.FromSeconds(5));
        Assert.True(wheel.TryNext(TimeSpan.FromSeconds(5), out var first));
        wheel.Add(first + 1, TimeSpan.FromSeconds(5));
        wheel.Add(first + 2, TimeSpan.FromDays(365));
        wheel.Add(first + 3, TimeSpan.MaxValue);
        Assert.False(wheel.TryNext(TimeSpan.FromSeconds(5), out _));
        Assert.True(wheel.TryNext(TimeSpan.FromSeconds(6), out var second));
        Assert.Equal(2, second);
        Assert.False(wheel.TryNext(TimeSpan.FromDays(1), out _));
        Assert.Equal(2, wheel.Count);
    }
}
