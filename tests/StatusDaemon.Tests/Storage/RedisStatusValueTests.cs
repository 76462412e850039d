using System.Text;
using CsCheck;
using StatusDaemon.Names;
using StatusDaemon.Statuses;

namespace StatusDaemon.Storage;

public sealed class RedisStatusValueTests
{
    private static readonly Uid Someone = StoredStatuses.Uid("uid-1");

    [Fact]
    public void Every_record_comes_back_and_is_also_a_status_that_any_program_could_have_written() => StoredStatuses.Lists.Sample(records => records.All(stored =>
    {
        var value = RedisStatusValue.Format(stored.Uid, stored.Record);
        return RedisStatusValue.TryReadOwn(stored.Uid, value, out var own)
            && own == stored.Record
            && RedisStatusValue.TryReadForeign(stored.Uid, value, out var status, out var timestamp, out _)
            && (status, timestamp) == (stored.Record.Status, stored.Record.Timestamp);
    }));

    [Fact]
    public void The_value_is_the_notification_with_what_the_daemon_needs_behind_it()
    {
        var at = new DateTimeOffset(2026, 11, 27, 8, 0, 0, TimeSpan.Zero);
        ClientTimestamp.TryParse("17.5"u8, quoted: true, out var timestamp);
        var record = new StatusRecord(Status.Busy, timestamp, new StatusVersion(0xd654a025c670689b, 32, 7), new ChangeSource(SourceKind.Client, "alice@A", "\"gw\"", at));
        Assert.StartsWith(
            """{"status":2,"publisher":"uid-1","timestamp":"17.5","v":"d654a025c670689b.32.7","source":{"kind":"client","actor":"alice@A","through":"\"gw\"","at":"2026-11-27T08:00:00.0000000Z"},"check":""",
            Encoding.UTF8.GetString(RedisStatusValue.Format(Someone, record)),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_is_changed_in_a_value_of_ours_makes_it_another_programs() => Gen.Select(StoredStatuses.Lists, Gen.Int[0, 10_000], Gen.Byte).Sample((records, at, value) =>
    {
        var (uid, record) = records[0];
        var bytes = RedisStatusValue.Format(uid, record);
        var before = bytes[at % bytes.Length];
        bytes[at % bytes.Length] = value;
        return before == value || !RedisStatusValue.TryReadOwn(uid, bytes, out _);
    });

    [Fact]
    public void A_value_of_ours_under_another_key_is_nobodys()
    {
        var value = RedisStatusValue.Format(Someone, StoredStatuses.Of("uid-1", 5, 1, 1).Record);
        Assert.False(RedisStatusValue.TryReadOwn(StoredStatuses.Uid("uid-2"), value, out _));
        Assert.False(RedisStatusValue.TryReadForeign(StoredStatuses.Uid("uid-2"), value, out _, out _, out var problem));
        Assert.Equal("publisher: not the UID of the key", problem);
    }

    [Theory]
    [InlineData("1", Status.Enable, "")]
    [InlineData(" 8\r\n", Status.Unknown, "")]
    [InlineData("""{"status":4}""", Status.Incoming, "")]
    [InlineData(""" {"v":"0000000000000001.1.1","timestamp":"17.5","status":4,"publisher":"uid-1","more":[{}]} """, Status.Incoming, "17.5")]
    [InlineData("""{"status":7,"timestamp":1e9,"check":"0000000000000000"}""", Status.Forwarding, "1e9")]
    public void Another_program_may_write_a_number_or_json(string value, Status expected, string expectedTimestamp)
    {
        Assert.True(RedisStatusValue.TryReadForeign(Someone, Encoding.UTF8.GetBytes(value), out var status, out var timestamp, out var problem), problem);
        Assert.Equal((expected, expectedTimestamp), (status, timestamp.ToString()));
    }

    [Theory]
    [InlineData("", "neither a number 1 to 8 nor a JSON object")]
    [InlineData("0", "neither a number 1 to 8 nor a JSON object")]
    [InlineData("9", "neither a number 1 to 8 nor a JSON object")]
    [InlineData("22", "neither a number 1 to 8 nor a JSON object")]
    [InlineData("BUSY", "neither a number 1 to 8 nor a JSON object")]
    [InlineData("(hash)", "neither a number 1 to 8 nor a JSON object")]
    [InlineData("[2]", "neither a number 1 to 8 nor a JSON object")]
    [InlineData("""{"status":2""", "not one JSON object of at most 32 levels")]
    [InlineData("{}", "it has no status")]
    [InlineData("""{"status":9}""", "status: not 1 to 8")]
    [InlineData("""{"status":"2"}""", "status: not an integer")]
    [InlineData("""{"status":2,"status":2}""", "an attribute stands twice")]
    [InlineData("""{"status":2,"timestamp":"yesterday"}""", "timestamp: not a decimal number of at most 32 characters")]
    [InlineData("""{"status":2,"publisher":"uid-2"}""", "publisher: not the UID of the key")]
    public void Anything_else_is_refused_in_words(string value, string expected)
    {
        Assert.False(RedisStatusValue.TryReadForeign(Someone, Encoding.UTF8.GetBytes(value), out _, out _, out var problem));
        Assert.Equal(expected, problem);
    }

    [Fact]
    public void Any_bytes_are_read_or_refused_and_never_throw() => Gen.Byte.Array[0, 300].Sample(value =>
    {
        RedisStatusValue.TryReadOwn(Someone, value, out _);
        var good = RedisStatusValue.TryReadForeign(Someone, value, out _, out _, out var problem);
        return good == (problem.Length == 0);
    });

    [Theory]
    [InlineData("""{"status":2,"publisher":"uid-1","v":7,"source":{}""")]
    [InlineData("""{"status":2,"publisher":"uid-1","v":null,"source":[]""")]
    [InlineData("""{"status":2,"publisher":"uid-1","v":"0000000000000005.1.1","source":7""")]
    [InlineData("""{"status":2,"publisher":"uid-1","v":"0000000000000005.1.1","source":{"kind":{},"actor":[[]],"through":1,"at":true}""")]
    [InlineData("""{"status":2,"publisher":"uid-1","v":"0000000000000005.0.1","source":{"kind":"client","actor":"a","through":"","at":"2026-11-27T08:00:00.0000000Z"}""")]
    public void A_checksum_that_somebody_put_right_makes_no_value_of_ours_of_it(string text)
    {
        var start = Encoding.UTF8.GetBytes(text);
        var value = Encoding.UTF8.GetBytes($"{text},\"check\":\"{System.IO.Hashing.XxHash3.HashToUInt64(start):x16}\"}}");
        Assert.False(RedisStatusValue.TryReadOwn(Someone, value, out _));
        Assert.True(RedisStatusValue.TryReadForeign(Someone, value, out _, out _, out _));
    }

    [Fact]
    public void What_is_too_long_is_refused_before_it_is_read() => Assert.False(
        RedisStatusValue.TryReadForeign(Someone, Encoding.UTF8.GetBytes($$"""{"status":2,"more":"{{new string('x', RedisStatusValue.MaxBytes)}}"}"""), out _, out _, out _));

    [Fact]
    public void The_digest_is_the_one_that_the_script_makes() =>
        Assert.Equal("a9993e364706816aba3e25717850c26c", RedisStatusValue.DigestOf("abc"u8).ToString("x32", System.Globalization.CultureInfo.InvariantCulture)); // RFC 3174's example
}
