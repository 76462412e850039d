using System.Diagnostics;
using System.Text;
using System.Text.Json;
using CsCheck;
using StatusDaemon.Names;
using StatusDaemon.Protocol;
using StatusDaemon.Statuses;
using ErrorCode = StatusDaemon.Protocol.ErrorCode; // Orleans has one too

namespace StatusDaemon.Tests.Protocol;

public sealed class MessageReaderTests
{
    private static readonly Gen<string> Uids = Gen.OneOf(
        Gen.Char['a', 'f'].Array[1, 3].Select(letters => new string(letters)),
        Gen.String[Gen.OneOf('a', '"', '\\', 'ж', '€', ' ', '/'), 1, 20],
        Gen.Guid.Select(guid => guid.ToString()));

    // What stands in the message, and the message as a foreign writer puts it.
    private static readonly Gen<(int? Status, (string Uid, bool Subscribe)[] Events, string? Timestamp, string Json)> Valid =
        Gen.Select(
            Gen.Int[0, 8],
            Gen.Select(Uids, Gen.Bool).Array[0, 12],
            Gen.OneOf(Gen.Const((string?)null), Gen.Const((string?)"1627128694.693686"), Gen.Const((string?)"-1.5e3")),
            Gen.Bool)
        .Select((status, events, timestamp, indented) =>
        {
            var distinct = events.DistinctBy(e => e.Item1).ToArray();
            var parts = new Dictionary<string, object> { ["ignored"] = new object[] { "\ud83d\ude00\\", new Dictionary<string, int> { ["a"] = 1 } } };
            if (status > 0)
            {
                parts["status"] = status;
            }

            if (timestamp is not null)
            {
                parts["timestamp"] = timestamp;
            }

            parts["events"] = distinct.ToDictionary(e => e.Item1, e => e.Item2 ? 9 : 10);
            return (status > 0 ? status : (int?)null, distinct, timestamp, JsonSerializer.Serialize(parts, indented ? Indented : Compact));
        });

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };
    private static readonly JsonSerializerOptions Compact = new();

    [Fact]
    public void The_message_of_the_documentation_is_read()
    {
        var message = Good("""{"status":1,"events":{"uid1":9,"uid2":9,"uid3":10,"uid4":10},"timestamp":"1627128694.693686"}""");

        Assert.Equal(Status.Enable, message.Status);
        Assert.Equal([("uid1", true), ("uid2", true), ("uid3", false), ("uid4", false)], EventsOf(message));
        Assert.Equal("1627128694.693686", message.Timestamp.ToString());
        Assert.True(message.Timestamp.IsQuoted);
        Assert.True(message.MayComeFrom("anyone"u8));
    }

    [Theory, InlineData("{}"), InlineData(" \t\r\n{ } "), InlineData("""{"other":null,"more":[{"status":9,"status":10}]}""")]
    public void A_message_may_say_nothing(string json)
    {
        var message = Good(json);

        Assert.Null(message.Status);
        Assert.Equal(0, message.EventCount);
        Assert.True(message.Timestamp.IsNone);
    }

    [Theory]
    [InlineData(ErrorCode.BadJson, "")]
    [InlineData(ErrorCode.BadJson, "   ")]
    [InlineData(ErrorCode.BadJson, "nonsense")]
    [InlineData(ErrorCode.BadJson, "null")]
    [InlineData(ErrorCode.BadJson, "1")]
    [InlineData(ErrorCode.BadJson, "\"close\"")]
    [InlineData(ErrorCode.BadJson, "[{}]")]
    [InlineData(ErrorCode.BadJson, "{")]
    [InlineData(ErrorCode.BadJson, "{}{}")]
    [InlineData(ErrorCode.BadJson, "{} x")]
    [InlineData(ErrorCode.BadJson, """{"status":1,}""")]
    [InlineData(ErrorCode.BadJson, """{"status":1}//x""")]
    [InlineData(ErrorCode.BadJson, """{/*x*/"status":1}""")]
    [InlineData(ErrorCode.BadJson, """{'status':1}""")]
    [InlineData(ErrorCode.BadJson, """{"status":01}""")]
    [InlineData(ErrorCode.BadJson, """{"status":+1}""")]
    [InlineData(ErrorCode.BadJson, """{"status":NaN}""")]
    [InlineData(ErrorCode.BadJson, """{"status":9,"events":{"a":11}""")]
    [InlineData(ErrorCode.BadJson, """{"events":{"\ud800":9}}""")]
    [InlineData(ErrorCode.BadJson, """{"events":{"\udc00\ud800":9}}""")]
    [InlineData(ErrorCode.BadJson, """{"other":"\ud800\u0041"}""")]
    [InlineData(ErrorCode.BadJson, """{"other":["\ud800"]}""")]
    [InlineData(ErrorCode.BadJson, """{"\udfff":1}""")]
    [InlineData(ErrorCode.BadMessage, """{"status":1,"status":1}""")]
    [InlineData(ErrorCode.BadMessage, """{"events":{},"events":{}}""")]
    [InlineData(ErrorCode.BadMessage, """{"other":1,"oth\u0065r":2}""")]
    [InlineData(ErrorCode.BadMessage, """{"status":1,"st\u0061tus":2}""")]
    [InlineData(ErrorCode.BadMessage, """{"status":"1"}""")]
    [InlineData(ErrorCode.BadMessage, """{"status":1.0}""")]
    [InlineData(ErrorCode.BadMessage, """{"status":1e0}""")]
    [InlineData(ErrorCode.BadMessage, """{"status":null}""")]
    [InlineData(ErrorCode.BadMessage, """{"status":true}""")]
    [InlineData(ErrorCode.BadMessage, """{"status":[1]}""")]
    [InlineData(ErrorCode.BadMessage, """{"status":{"a":1}}""")]
    [InlineData(ErrorCode.UnknownStatus, """{"status":0}""")]
    [InlineData(ErrorCode.UnknownStatus, """{"status":-0}""")]
    [InlineData(ErrorCode.UnknownStatus, """{"status":9}""")]
    [InlineData(ErrorCode.UnknownStatus, """{"status":-1}""")]
    [InlineData(ErrorCode.UnknownStatus, """{"status":10}""")]
    [InlineData(ErrorCode.UnknownStatus, """{"status":340282366920938463463374607431768211457}""")]
    [InlineData(ErrorCode.BadMessage, """{"events":[]}""")]
    [InlineData(ErrorCode.BadMessage, """{"events":null}""")]
    [InlineData(ErrorCode.BadMessage, """{"events":9}""")]
    [InlineData(ErrorCode.BadMessage, """{"events":{"":9}}""")]
    [InlineData(ErrorCode.BadMessage, """{"events":{"a\u0000b":9}}""")]
    [InlineData(ErrorCode.BadMessage, """{"events":{"a\u0085b":9}}""")]
    [InlineData(ErrorCode.BadMessage, """{"events":{"a":9,"a":9}}""")]
    [InlineData(ErrorCode.BadMessage, """{"events":{"a":9,"\u0061":10}}""")]
    [InlineData(ErrorCode.UnknownOperation, """{"events":{"a":11}}""")]
    [InlineData(ErrorCode.UnknownOperation, """{"events":{"a":1}}""")]
    [InlineData(ErrorCode.UnknownOperation, """{"events":{"a":9.0}}""")]
    [InlineData(ErrorCode.UnknownOperation, """{"events":{"a":"9"}}""")]
    [InlineData(ErrorCode.UnknownOperation, """{"events":{"a":null}}""")]
    [InlineData(ErrorCode.UnknownOperation, """{"events":{"a":[9]}}""")]
    [InlineData(ErrorCode.UnknownOperation, """{"events":{"a":{"b":9}}}""")]
    [InlineData(ErrorCode.BadMessage, """{"timestamp":null}""")]
    [InlineData(ErrorCode.BadMessage, """{"timestamp":{}}""")]
    [InlineData(ErrorCode.BadMessage, """{"timestamp":""}""")]
    [InlineData(ErrorCode.BadMessage, """{"timestamp":"yesterday"}""")]
    [InlineData(ErrorCode.BadMessage, """{"timestamp":" 1"}""")]
    [InlineData(ErrorCode.BadMessage, """{"timestamp":"0x1"}""")]
    [InlineData(ErrorCode.BadMessage, """{"timestamp":"123456789012345678901234567890123"}""")]
    [InlineData(ErrorCode.BadMessage, """{"timestamp":123456789012345678901234567890123}""")]
    [InlineData(ErrorCode.BadMessage, """{"publisher":1}""")]
    [InlineData(ErrorCode.BadMessage, """{"publisher":null}""")]
    [InlineData(ErrorCode.BadMessage, """{"publisher":""}""")]
    [InlineData(ErrorCode.BadMessage, """{"publisher":"a\nb"}""")]
    public void A_message_that_cannot_be_taken_is_refused_whole(ErrorCode code, string json)
    {
        var message = new ClientMessage();

        Assert.False(MessageReader.TryRead(Encoding.UTF8.GetBytes(json), message, out var refusal));
        Assert.Equal(code, refusal.Code);
        AssertEmpty(message);
    }

    [Theory]
    [InlineData("1627128694.693686"), InlineData("\"1627128694.693686\""), InlineData("0"), InlineData("-1e-7"), InlineData("\"1E+9\"")]
    public void A_timestamp_goes_back_as_it_came(string json)
    {
        var message = Good($$"""{"timestamp":{{json}}}""");

        Assert.Equal(json.Trim('"'), message.Timestamp.ToString());
        Assert.Equal(json.StartsWith('"'), message.Timestamp.IsQuoted);
    }

    [Fact]
    public void A_publisher_is_compared_with_the_sender()
    {
        var message = Good("""{"publisher":"\u0061lice"}""");

        Assert.True(message.MayComeFrom("alice"u8));
        Assert.False(message.MayComeFrom("bob"u8));
        Assert.True(Good("{}").MayComeFrom("bob"u8));
    }

    [Fact]
    public void The_longest_uid_is_read_in_every_form()
    {
        var plain = new string('u', Uid.MaxBytes);
        var escaped = string.Concat(Enumerable.Repeat("\\u0075", Uid.MaxBytes));

        Assert.True(Good($$"""{"publisher":"{{plain}}"}""").MayComeFrom(Encoding.UTF8.GetBytes(plain)));
        Assert.True(Good($$"""{"publisher":"{{escaped}}"}""").MayComeFrom(Encoding.UTF8.GetBytes(plain)));
        Assert.Equal([(plain, true)], EventsOf(Good(EventsJson([$"\"{escaped}\":9"]))));
        Assert.Equal(ErrorCode.BadMessage, Refusal(Encoding.UTF8.GetBytes($$"""{"publisher":"{{plain}}u"}""")));
        Assert.Equal(ErrorCode.BadMessage, Refusal(Encoding.UTF8.GetBytes(EventsJson([$"\"{plain}u\":9"]))));
    }

    [Theory, InlineData(31, true), InlineData(32, false), InlineData(10_000, false)]
    public void Nesting_ends_at_32_levels(int arrays, bool good)
    {
        var json = Encoding.UTF8.GetBytes($$"""{"x":{{new string('[', arrays)}}{{new string(']', arrays)}}}""");

        Assert.Equal(good ? null : ErrorCode.BadJson, Refusal(json));
    }

    [Fact]
    public void Bytes_that_are_not_UTF8_are_no_JSON() =>
        Assert.Equal(ErrorCode.BadJson, Refusal([.. "{\"x\":\""u8, 0xC3, 0x28, .. "\"}"u8]));

    [Fact]
    public void A_byte_order_mark_is_no_JSON() => Assert.Equal(ErrorCode.BadJson, Refusal([0xEF, 0xBB, 0xBF, .. "{}"u8]));

    [Fact]
    public void The_first_broken_rule_is_named() =>
        Assert.Equal(ErrorCode.UnknownOperation, Refusal("""{"events":{"a":[1,{"b":2}],"":9},"status":99,"timestamp":{}}"""u8));

    [Fact]
    public void What_a_foreign_writer_wrote_is_read_alike() =>
        Valid.Sample(valid =>
        {
            var message = Good(valid.Json);

            Assert.Equal((Status?)valid.Status, message.Status);
            Assert.Equal(valid.Events, EventsOf(message));
            Assert.Equal(valid.Timestamp ?? "", message.Timestamp.ToString());
        }, iter: 2_000);

    [Fact]
    public void A_message_is_bad_json_exactly_when_another_parser_finds_no_object() =>
        Gen.Select(Valid, Gen.Select(Gen.Int[0, 1_000_000], Gen.OneOf(Gen.Byte, Gen.OneOf("{}[]\",:\\u0d89e- "u8.ToArray()))).Array[0, 4]).Sample((valid, changes) =>
        {
            var utf8 = Encoding.UTF8.GetBytes(valid.Json);
            foreach (var (at, value) in changes)
            {
                utf8[at % utf8.Length] = value;
            }

            Assert.Equal(!IsObject(utf8), Refusal(utf8) == ErrorCode.BadJson);
        }, iter: 20_000);

    [Fact]
    public void A_cut_message_is_bad_json_at_every_length()
    {
        var whole = """{"status":1,"events":{"uid1":9},"timestamp":"1.5","publisher":"a\u00e9"}"""u8.ToArray();
        for (var length = 0; length < whole.Length; length++)
        {
            Assert.Equal(ErrorCode.BadJson, Refusal(whole.AsSpan(0, length)));
        }
    }

    [Fact]
    public void Noise_never_throws() =>
        Gen.Byte.Array[0, 100].Sample(noise => { Refusal(noise); }, iter: 5_000);

    [Fact]
    public void Tens_of_thousands_of_events_keep_their_order_and_a_repetition_at_the_end_is_found()
    {
        var events = Enumerable.Range(0, 40_000).Select(i => (Uid: $"u{i}", Subscribe: i % 3 == 0)).ToArray();
        var members = events.Select(e => $"\"{e.Uid}\":{(e.Subscribe ? 9 : 10)}").ToArray();

        Assert.Equal(events, EventsOf(Good(EventsJson(members))));
        Assert.Equal(ErrorCode.BadMessage, Refusal(Encoding.UTF8.GetBytes(EventsJson([.. members, "\"u0\":9"]))));
    }

    [Fact]
    public void Thousands_of_unknown_attributes_are_ignored_and_a_repetition_is_found()
    {
        var members = string.Join(',', Enumerable.Range(0, 40_000).Select(i => $"\"x{i}\":0"));

        Good("{" + members + "}");
        Assert.Equal(ErrorCode.BadMessage, Refusal(Encoding.UTF8.GetBytes("{" + members + ",\"x7\":1}")));
    }

    [Fact]
    public void Names_that_were_made_to_collide_cost_no_more_than_others()
    {
        // "Aa" and "BB" are equal under the usual hash that multiplies by 31: 2^15 names that all fall into one slot of it.
        var hostile = Enumerable.Range(0, 1 << 15).Select(bits => string.Concat(Enumerable.Range(0, 15).Select(bit => (bits >> bit & 1) == 0 ? "Aa" : "BB")));
        var harmless = Enumerable.Range(0, 1 << 15).Select(i => $"{i:D30}");

        Assert.InRange(TimeToRead(hostile) / TimeToRead(harmless), 0, 20);
    }

    [Fact]
    public void Messages_are_read_without_allocating()
    {
        var message = new ClientMessage();
        var status = """{"status":2,"timestamp":"1627128694.693686"}"""u8.ToArray();
        var escaped = """{"publisher":"\u0061lice","other":[1,"\ud83d\ude00"],"events":{"b\u00e9b":9,"c":10}}"""u8.ToArray();
        var watches = Encoding.UTF8.GetBytes(EventsJson(Enumerable.Range(0, 100).Select(i => $"\"75f7e0ed-3f10-4ba1-8445-3ccbab91{i:D4}\":9")));

        Assert.Equal(0, Allocation.OfWarm(() =>
        {
            Assert.True(MessageReader.TryRead(status, message, out _));
            Assert.True(MessageReader.TryRead(escaped, message, out _));
            Assert.True(MessageReader.TryRead(watches, message, out _));
            Assert.False(MessageReader.TryRead("""{"status":9}"""u8, message, out _));
        }));
    }

    [Fact]
    public void The_memory_of_a_huge_message_is_not_kept()
    {
        var huge = Encoding.UTF8.GetBytes(EventsJson(Enumerable.Range(0, 30_000).Select(i => $"\"{i:D100}\":9")));
        var message = new ClientMessage();
        Assert.True(MessageReader.TryRead(huge, message, out _));
        message.Clear();
        var before = GC.GetAllocatedBytesForCurrentThread();

        // Three bytes of names: had the memory been kept, nothing would be allocated for them.
        Assert.True(MessageReader.TryRead("""{"events":{"abc":9}}"""u8, message, out _));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, 10_000);
    }

    private static double TimeToRead(IEnumerable<string> uids)
    {
        var utf8 = Encoding.UTF8.GetBytes(EventsJson(uids.Select(uid => $"\"{uid}\":9")));
        var message = new ClientMessage();
        var best = double.MaxValue;
        for (var round = 0; round < 5; round++)
        {
            var start = Stopwatch.GetTimestamp();
            Assert.True(MessageReader.TryRead(utf8, message, out _));
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalMicroseconds);
        }

        return best;
    }

    private static string EventsJson(IEnumerable<string> members) => "{\"events\":{" + string.Join(',', members) + "}}";

    private static ClientMessage Good(string json)
    {
        var message = new ClientMessage();
        Assert.True(MessageReader.TryRead(Encoding.UTF8.GetBytes(json), message, out var refusal), refusal?.Detail);
        return message;
    }

    private static ErrorCode? Refusal(ReadOnlySpan<byte> utf8)
    {
        var message = new ClientMessage();
        if (MessageReader.TryRead(utf8, message, out var refusal))
        {
            return null;
        }

        AssertEmpty(message);
        return refusal.Code;
    }

    private static void AssertEmpty(ClientMessage message)
    {
        Assert.Null(message.Status);
        Assert.Equal(0, message.EventCount);
        Assert.True(message.Timestamp.IsNone);
        Assert.True(message.MayComeFrom("anyone"u8));
    }

    private static IEnumerable<(string Uid, bool Subscribe)> EventsOf(ClientMessage message) =>
        Enumerable.Range(0, message.EventCount).Select(i => (Encoding.UTF8.GetString(message.EventUid(i)), message.EventIsSubscribe(i)));

    /// <summary>The oracle: one JSON object whose names and strings all are text.</summary>
    private static bool IsObject(byte[] utf8)
    {
        try
        {
            using var document = JsonDocument.Parse(utf8, new JsonDocumentOptions { MaxDepth = MessageReader.MaxDepth });
            ReadAll(document.RootElement);
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }

        static void ReadAll(JsonElement element)
        {
            switch (element.ValueKind)
            {
                case JsonValueKind.Object:
                    foreach (var member in element.EnumerateObject())
                    {
                        _ = member.Name;
                        ReadAll(member.Value);
                    }

                    break;
                case JsonValueKind.Array:
                    foreach (var item in element.EnumerateArray())
                    {
                        ReadAll(item);
                    }

                    break;
                case JsonValueKind.String:
                    element.GetString();
                    break;
            }
        }
    }
}
