using System.Text;
using System.Text.Json;
using CsCheck;
using StatusDaemon.Names;
using StatusDaemon.Protocol;
using StatusDaemon.Statuses;

namespace StatusDaemon.Tests.Protocol;

public sealed class MessageWriterTests
{
    private static readonly Gen<Uid> Uids =
        Gen.String[Gen.OneOf(Gen.Char, Gen.OneOf('"', '\\', 'ж', '/')), 1, 60]
            .Where(text => Uid.TryParse(text, out _))
            .Select(text => Uid.TryParse(text, out var uid) ? uid : throw new InvalidOperationException());

    [Theory]
    [InlineData("\"1627128694.693686\"", """{"status":1,"publisher":"uid1","timestamp":"1627128694.693686"}""")]
    [InlineData("1627128694.693686", """{"status":1,"publisher":"uid1","timestamp":1627128694.693686}""")]
    [InlineData("", """{"status":1,"publisher":"uid1"}""")]
    public void A_notification_is_written_to_the_letter(string timestamp, string json) =>
        Assert.Equal(json, JsonOf(new Notification(Status.Enable, UidOf("uid1"), TimestampOf(timestamp))));

    [Fact]
    public void A_uid_is_escaped_where_JSON_asks_for_it_and_nowhere_else() =>
        Assert.Equal("""{"status":8,"publisher":"a\"b\\c/ж"}""", JsonOf(new Notification(Status.Unknown, UidOf("""a"b\c/ж"""), default)));

    [Fact]
    public void The_longest_notification_fits()
    {
        var longest = new Notification(Status.Forwarding, UidOf(new string('"', Uid.MaxBytes)), TimestampOf($"\"{new string('1', ClientTimestamp.MaxLength)}\""));
        var json = new byte[MessageWriter.MaxNotificationBytes];

        Assert.InRange(MessageWriter.Write(longest, json), 300, MessageWriter.MaxNotificationBytes);
    }

    [Fact]
    public void Another_parser_reads_what_was_meant() =>
        Gen.Select(Uids, Gen.Int[1, 8], Gen.OneOf("", "\"1.5\"", "1e9")).Sample((uid, status, timestamp) =>
        {
            using var document = JsonDocument.Parse(JsonOf(new Notification((Status)status, uid, TimestampOf(timestamp))));

            Assert.Equal(uid.ToString(), document.RootElement.GetProperty("publisher").GetString());
            Assert.Equal(status, document.RootElement.GetProperty("status").GetInt32());
            Assert.Equal(timestamp, document.RootElement.TryGetProperty("timestamp", out var time) ? time.GetRawText() : "");
        }, iter: 2_000);

    [Fact]
    public void A_frame_is_whole_and_the_only_object_made()
    {
        var uid = UidOf("uid1");
        var frame = MessageWriter.Frame(new Notification(Status.Busy, uid, default));

        Assert.Equal([0x81, 31, .. """{"status":2,"publisher":"uid1"}"""u8], frame);
        Assert.Equal(1_000 * (24 + 40), Allocation.OfWarm(() => MessageWriter.Frame(new Notification(Status.Busy, uid, default))));
    }

    [Fact]
    public void Writing_into_the_callers_memory_allocates_nothing()
    {
        var notification = new Notification(Status.Busy, UidOf("""a"b"""), TimestampOf("\"1.5\""));
        var json = new byte[MessageWriter.MaxNotificationBytes];

        Assert.Equal(0, Allocation.OfWarm(() => MessageWriter.Write(notification, json)));
    }

    private static string JsonOf(Notification notification)
    {
        var json = new byte[MessageWriter.MaxNotificationBytes];
        return Encoding.UTF8.GetString(json, 0, MessageWriter.Write(notification, json));
    }

    private static Uid UidOf(string text) => Uid.TryParse(text, out var uid) ? uid : throw new ArgumentException(text);

    private static ClientTimestamp TimestampOf(string json) =>
        ClientTimestamp.TryParse(Encoding.UTF8.GetBytes(json.Trim('"')), json.StartsWith('"'), out var timestamp) ? timestamp : default;
}
