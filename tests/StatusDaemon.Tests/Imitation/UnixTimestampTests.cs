using System.Text.Json;

namespace StatusDaemon.Imitation;

public sealed class UnixTimestampTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddSeconds(1_627_128_694) + TimeSpan.FromMicroseconds(693_686);

    [Fact]
    public void It_has_seconds_and_microseconds()
    {
        Assert.Equal("1627128694.693686", UnixTimestamp.Of(Now));
        Assert.Equal("1627128694.000001", UnixTimestamp.Of(DateTimeOffset.UnixEpoch.AddSeconds(1_627_128_694) + TimeSpan.FromMicroseconds(1)));
    }

    [Theory]
    [InlineData("\"1627128694.693686\"", 0.0)]
    [InlineData("1627128694.693186", 0.5)]
    [InlineData("\"1627128695.693686\"", -1000.0)]
    [InlineData("1627128693", 1693.686)]
    [InlineData("1.627128694693686e9", 0.0)]
    public void The_delay_is_what_passed_since(string json, double milliseconds) => Assert.Equal(milliseconds, Since(json));

    [Theory]
    [InlineData("null")]
    [InlineData("\"\"")]
    [InlineData("\"soon\"")]
    [InlineData("[1]")]
    [InlineData("1e40")]
    public void There_is_no_delay_since_what_is_no_time(string json) => Assert.Null(Since(json));

    [Fact]
    public void There_is_no_delay_without_a_timestamp() => Assert.Null(UnixTimestamp.MillisecondsSince(null, Now));

    private static double? Since(string json)
    {
        using var parsed = JsonDocument.Parse(json);
        return UnixTimestamp.MillisecondsSince(parsed.RootElement, Now);
    }
}
