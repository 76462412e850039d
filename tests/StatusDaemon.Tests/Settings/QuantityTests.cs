using CsCheck;

namespace StatusDaemon.Settings;

public sealed class QuantityTests
{
    [Theory]
    [InlineData("200ms", 200)]
    [InlineData("30s", 30_000)]
    [InlineData("5m", 300_000)]
    [InlineData("1h", 3_600_000)]
    [InlineData("0s", 0)]
    [InlineData("3 S", 3_000)]
    public void A_duration_has_a_unit(string text, int milliseconds)
    {
        Assert.True(Quantity.TryParseTime(text, out var time));
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), time);
    }

    [Theory, InlineData(""), InlineData("30"), InlineData("s"), InlineData("-1s"), InlineData("1.5s"), InlineData("1s2"), InlineData("1w"), InlineData("99999999999999999999h"), InlineData("9999999999999999h")]
    public void Anything_else_is_no_duration(string text) => Assert.False(Quantity.TryParseTime(text, out _));

    [Theory, InlineData("100", 100), InlineData("256KiB", 262_144), InlineData("1 mib", 1_048_576), InlineData("2GiB", 2_147_483_648)]
    public void A_size_is_bytes_or_has_a_unit(string text, long bytes)
    {
        Assert.True(Quantity.TryParseSize(text, out var size));
        Assert.Equal(bytes, size);
    }

    [Theory, InlineData(""), InlineData("1KB"), InlineData("KiB"), InlineData("-1")]
    public void Anything_else_is_no_size(string text) => Assert.False(Quantity.TryParseSize(text, out _));

    [Fact]
    public void What_is_written_is_read_the_same() =>
        Gen.Select(Gen.Long[0, 1L << 40], Gen.Int[0, 1_000_000_000]).Sample((bytes, milliseconds) =>
            Quantity.TryParseSize(Quantity.Format(bytes), out var size) && size == bytes
            && Quantity.TryParseTime(Quantity.Format(TimeSpan.FromMilliseconds(milliseconds)), out var time) && time == TimeSpan.FromMilliseconds(milliseconds));
}
