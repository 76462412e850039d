using System.Text;

namespace StatusDaemon.Load;

public sealed class NoticeTests
{
    private const string Uid = "01234567-0123-4123-a123-0123456789ab";

    [Theory]
    [InlineData($$"""{"status":2,"publisher":"{{Uid}}","timestamp":"1627128694.693686"}""", 1627128694693686)]
    [InlineData($$"""{"publisher":"{{Uid}}", "timestamp":"1627128694.693686", "more":[1], "status":2}""", 1627128694693686)]
    [InlineData($$"""{"status":2,"publisher":"{{Uid}}"}""", 0)]
    public void Any_spelling_is_read(string json, long time)
    {
        Assert.True(Notice.TryRead(Encoding.UTF8.GetBytes(json), out var notice));
        Assert.Equal((2, Uid, time), (notice.Status, Encoding.UTF8.GetString(notice.Publisher), notice.Time));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("""{"error":"bad-json","detail":"x"}""")]
    [InlineData("""{"status":9}""")]
    [InlineData("""{"status":"2"}""")]
    [InlineData("""{"status":2,"timestamp":"yesterday"}""")]
    [InlineData($$"""{"status":2,"publisher":"{{Uid}}","timestamp":"162712869x.693686"}""")]
    public void Anything_else_is_refused(string json) => Assert.False(Notice.TryRead(Encoding.UTF8.GetBytes(json), out _));
}
