using System.Globalization;
using System.Text;
using static StatusDaemon.Tests.Protocol.ClientFrames;

namespace StatusDaemon.Tests.Protocol;

/// <summary>The cases 1.* to 7.* and 10.* of the Autobahn TestSuite under its numbers, for a server that is no echo.</summary>
/// <remarks>
/// Autobahn's server sends back each message as it came. Ours shows what it has read of a text in one of two ways, and <c>WireAnswer</c> says which:
/// <list type="bullet">
/// <item>A payload P is carried as <c>{"events":{"P":9}}</c>; the answer names P, byte by byte, and comes only if the text was whole to its last brace.</item>
/// <item>A payload that must be answered before something else happens on the same connection, or that is too long for a UID, is sent as it is: it is no JSON
/// object, and the error says at once, and in order, that there was one whole text.</item>
/// </list>
/// Binary is no part of the protocol: 1.2.* end in 1003. A ping is answered as there, an unsolicited pong is not, and a close gets its own code back.
/// </remarks>
internal static class ConformanceCases
{
    private const int Frames = 0;
    private const int Octets = 1;

    private static readonly byte[] NoText = [0x00, 0xFF, 0xFE, 0xFD, 0xFC, 0xFB, 0x00, 0xFF];
    private static readonly byte[] Greek = [0xCE, 0xBA, 0xE1, 0xBD, 0xB9, 0xCF, 0x83, 0xCE, 0xBC, 0xCE, 0xB5];
    private static readonly byte[] Edited = "edited"u8.ToArray();
    private static readonly byte[] Surrogate = [0xED, 0xA0, 0x80];
    private static readonly byte[] Hello = "Hello, world!"u8.ToArray();
    private static readonly byte[] Ping0 = Frame(Ping, "");

    /// <summary>All, by number.</summary>
    public static IReadOnlyDictionary<string, ConformanceCase> All { get; } =
        Lengths().Concat(Pings()).Concat(ReservedBits()).Concat(Opcodes()).Concat(Fragments()).Concat(Texts()).Concat(Characters()).Concat(Closing()).Concat(Fragmented())
            .ToDictionary(one => one.Number);

    private static IEnumerable<ConformanceCase> Lengths()
    {
        int[] lengths = [0, 125, 126, 127, 128, 65_535, 65_536];
        for (var i = 0; i < lengths.Length; i++)
        {
            var text = SayIn(lengths[i], $"1.1.{i + 1}");
            yield return new($"1.1.{i + 1}", [Frame(Text, text)], TextEvent(text));
            yield return new($"1.2.{i + 1}", [Frame(Binary, new byte[lengths[i]])], "refused:1003");
        }

        var chopped = SayIn(65_536, "1.1.8");
        yield return new("1.1.8", [Frame(Text, chopped)], TextEvent(chopped)) { Chop = 997 };
        yield return new("1.2.8", [Frame(Binary, new byte[65_536])], "refused:1003") { Chop = 997 };
    }

    private static IEnumerable<ConformanceCase> Pings()
    {
        byte[] full = [.. Enumerable.Repeat((byte)0xFE, 125)];
        byte[][] ten = [.. Enumerable.Range(0, 10).Select(i => Frame(Ping, $"payload-{i}"))];
        string[] tenSeen = [.. Enumerable.Range(0, 10).Select(i => PingEvent(Encoding.ASCII.GetBytes($"payload-{i}")))];
        yield return new("2.1", [Ping0], "ping:");
        yield return new("2.2", [Frame(Ping, Hello)], PingEvent(Hello));
        yield return new("2.3", [Frame(Ping, NoText)], PingEvent(NoText));
        yield return new("2.4", [Frame(Ping, full)], PingEvent(full));
        yield return new("2.5", [Frame(Ping, (byte[])[.. full, 0xFE])], "refused:1002");
        yield return new("2.6", [Frame(Ping, full)], PingEvent(full)) { Chop = Octets };
        yield return new("2.7", [Frame(Pong, "")], "pong:");
        yield return new("2.8", [Frame(Pong, Hello)], PongEvent(Hello));
        yield return new("2.9", [Frame(Pong, Hello), Frame(Ping, Greek)], PongEvent(Hello), PingEvent(Greek));
        yield return new("2.10", ten, tenSeen);
        yield return new("2.11", ten, tenSeen) { Chop = Octets };
    }

    private static IEnumerable<ConformanceCase> ReservedBits()
    {
        yield return new("3.1", [Frame(Text, Hello, reserved: 1)], "refused:1002");
        yield return new("3.2", [Frame(Text, Hello), Frame(Text, Hello, reserved: 2), Ping0], TextEvent(Hello), "refused:1002");
        yield return new("3.3", [Frame(Text, Hello), Frame(Text, Hello, reserved: 3), Ping0], TextEvent(Hello), "refused:1002") { Chop = Frames };
        yield return new("3.4", [Frame(Text, Hello), Frame(Text, Hello, reserved: 4), Ping0], TextEvent(Hello), "refused:1002") { Chop = Octets };
        yield return new("3.5", [Frame(Binary, NoText, reserved: 5)], "refused:1002");
        yield return new("3.6", [Frame(Ping, Hello, reserved: 6)], "refused:1002");
        yield return new("3.7", [Frame(Close, "", reserved: 7)], "refused:1002");
    }

    /// <summary>Opcodes that nothing has been made of: 3 to 7 for data, 11 to 15 for control.</summary>
    private static IEnumerable<ConformanceCase> Opcodes()
    {
        foreach (var (chapter, first) in new[] { ("4.1", 3), ("4.2", 11) })
        {
            for (var i = 0; i < 5; i++)
            {
                var reserved = Frame(first + i, i % 2 == 0 ? [] : Hello);
                yield return i < 2
                    ? new($"{chapter}.{i + 1}", [reserved], "refused:1002")
                    : new($"{chapter}.{i + 1}", [Frame(Text, Hello), reserved, Ping0], TextEvent(Hello), "refused:1002") { Chop = i == 2 ? int.MaxValue : i == 3 ? Frames : Octets };
            }
        }
    }

    private static IEnumerable<ConformanceCase> Fragments()
    {
        yield return new("5.1", [Frame(Ping, "fragment1", final: false), Frame(Continuation, "fragment2")], "refused:1002");
        yield return new("5.2", [Frame(Pong, "fragment1", final: false), Frame(Continuation, "fragment2")], "refused:1002");

        var two = Cut(Say("fragment1fragment2"u8), 2);
        var whole = TextEvent(Say("fragment1fragment2"u8));
        var fragmented = new ConformanceCase("5.3", [Frame(Text, two[0], final: false), Frame(Continuation, two[1])], whole);
        yield return fragmented;
        yield return fragmented.As("5.4", Frames);
        yield return fragmented.As("5.5", Octets);

        var pinged = new ConformanceCase("5.6", [fragmented.Parts[0], Frame(Ping, "ping payload"), fragmented.Parts[1]], PingEvent("ping payload"u8), whole);
        yield return pinged;
        yield return pinged.As("5.7", Frames);
        yield return pinged.As("5.8", Octets);

        foreach (var (number, final) in new[] { (9, true), (12, false) })
        {
            var lost = new ConformanceCase($"5.{number}", [Frame(Continuation, "non-continuation payload", final), Frame(Text, Hello)], "refused:1002");
            yield return lost;
            yield return lost.As($"5.{number + 1}", Frames);
            yield return lost.As($"5.{number + 2}", Octets);
        }

        yield return new(
            "5.15",
            [Frame(Text, "fragment1", final: false), Frame(Continuation, "fragment2"), Frame(Continuation, "fragment3", final: false), Frame(Text, "fragment4")],
            TextEvent("fragment1fragment2"u8), "refused:1002");
        foreach (var (number, final) in new[] { ("5.16", false), ("5.17", true) })
        {
            byte[][] once = [Frame(Continuation, "fragment1", final), Frame(Text, "fragment2", final: false), Frame(Continuation, "fragment3")];
            yield return new(number, [.. once, .. once], "refused:1002");
        }

        yield return new("5.18", [Frame(Text, "fragment1", final: false), Frame(Text, "fragment2")], "refused:1002");

        var five = Cut(Say("fragment1fragment2fragment3fragment4fragment5"u8), 5);
        var twicePinged = new ConformanceCase(
            "5.19",
            [
                Frame(Text, five[0], final: false), Frame(Continuation, five[1], final: false), Frame(Ping, "pongme 1!"),
                Frame(Continuation, five[2], final: false), Frame(Continuation, five[3], final: false), Frame(Ping, "pongme 2!"), Frame(Continuation, five[4]),
            ],
            PingEvent("pongme 1!"u8), PingEvent("pongme 2!"u8), TextEvent([.. five.SelectMany(part => part)]));
        yield return twicePinged;
        yield return twicePinged.As("5.20", Frames);
    }

    /// <summary>UTF-8 in one frame and in several, good and bad.</summary>
    private static IEnumerable<ConformanceCase> Texts()
    {
        var middle = Say("middle frame payload"u8);
        yield return new("6.1.1", [Frame(Text, "")], "text:");
        yield return new("6.1.2", [Frame(Text, "", final: false), Frame(Continuation, "", final: false), Frame(Continuation, "")], "text:");
        yield return new("6.1.3", [Frame(Text, "", final: false), Frame(Continuation, middle, final: false), Frame(Continuation, "")], TextEvent(middle));

        byte[] first = [.. "{\"events\":{\""u8, .. Encoding.UTF8.GetBytes("Hello-µ@ßöä")];
        byte[] second = [.. Encoding.UTF8.GetBytes("üàá-UTF-8!!"), .. "\":9}}"u8];
        byte[] both = [.. first, .. second];
        yield return new("6.2.1", [Frame(Text, both)], TextEvent(both));
        yield return new("6.2.2", [Frame(Text, first, final: false), Frame(Continuation, second)], TextEvent(both));
        yield return new("6.2.3", [InFragments(both, 1)], TextEvent(both));
        yield return new("6.2.4", [InFragments(Say(Greek), 1)], TextEvent(Say(Greek)));

        byte[] bad = Say([.. Greek, .. Surrogate, .. Edited]);
        yield return new("6.3.1", [Frame(Text, bad)], "refused:1007");
        yield return new("6.3.2", [InFragments(bad, 1)], "refused:1007");

        // Refused with the octet that makes it bad, whatever is still to come: 0x110000 is beyond the last character, and 90 behind F4 says so.
        byte[] beyond = [0xF4, 0x90, 0x80, 0x80];
        byte[] message = [.. Greek, .. beyond, .. Edited];
        var frame = Frame(Text, message);
        var header = frame.Length - message.Length;
        yield return new("6.4.1", [Frame(Text, Greek, final: false), Frame(Continuation, beyond, final: false)], "refused:1007") { Chop = Frames, Held = Frame(Continuation, Edited) };
        yield return new("6.4.2", [Frame(Text, message.AsSpan(0, 12), final: false), Frame(Continuation, message.AsSpan(12, 1), final: false)], "refused:1007") { Chop = Frames, Held = Frame(Continuation, message.AsSpan(13)) };
        yield return new("6.4.3", [frame[..(header + 11)], frame[(header + 11)..(header + 15)]], "refused:1007") { Chop = Frames, Held = frame[(header + 15)..] };
        yield return new("6.4.4", [frame[..(header + 12)], frame[(header + 12)..(header + 13)]], "refused:1007") { Chop = Frames, Held = frame[(header + 13)..] };
    }

    /// <summary>Single characters and what only looks like them: Markus Kuhn's stress test for decoders, in one frame each.</summary>
    private static IEnumerable<ConformanceCase> Characters()
    {
        (bool IsGood, string[] Payloads)[] chapters =
        [
            (true, ["68656C6C6F24776F726C64", "68656C6C6FC2A2776F726C64", "68656C6C6FE282AC776F726C64", "68656C6C6FF0A4ADA2776F726C64", Convert.ToHexString(Greek)]), // 6.5
            (true, [.. Enumerable.Range(1, Greek.Length).Select(length => Convert.ToHexString(Greek, 0, length))]), // 6.6: good where a character ends
            (true, ["00", "C280", "E0A080", "F0908080"]),
            (false, ["F888808080", "FC8480808080"]),
            (true, ["7F", "DFBF", "EFBFBF", "F48FBFBF"]),
            (false, ["F7BFBFBF", "FBBFBFBFBF", "FDBFBFBFBFBF"]), // 6.10
            (true, ["ED9FBF", "EE8080", "EFBFBD", "F48FBFBF", "F4908080"]), // 6.11: the last is beyond the last character
            (false, ["80", "BF", "80BF", "80BF80", "80BF80BF", "80BF80BF80", "80BF80BF80BF", Bytes(0x80, 0xBE, "")]),
            (false, [Bytes(0xC0, 0xDE, "20"), Bytes(0xE0, 0xEE, "20"), Bytes(0xF0, 0xF6, "20"), Bytes(0xF8, 0xFA, "20"), Bytes(0xFC, 0xFC, "20")]),
            (false, Incomplete),
            (false, [string.Concat(Incomplete)]), // 6.15
            (false, ["FE", "FF", "FEFEFFFF"]),
            (false, ["C0AF", "E080AF", "F08080AF", "F8808080AF", "FC80808080AF"]),
            (false, ["C1BF", "E09FBF", "F08FBFBF", "F887BFBFBF", "FC83BFBFBFBF"]),
            (false, ["C080", "E08080", "F0808080", "F880808080", "FC8080808080"]),
            (false, ["EDA080", "EDADBF", "EDAE80", "EDAFBF", "EDB080", "EDBE80", "EDBFBF"]), // 6.20
            (false, ["EDA080EDB080", "EDA080EDBFBF", "EDADBFEDB080", "EDADBFEDBFBF", "EDAE80EDB080", "EDAE80EDBFBF", "EDAFBFEDB080", "EDAFBFEDBFBF"]),
            (true, [.. NonCharacters().Select(code => Convert.ToHexString(Encoding.UTF8.GetBytes(char.ConvertFromUtf32(code))))]),
            (true, ["EFBFB9", "EFBFBA", "EFBFBB", "EFBFBC", "EFBFBD", "EFBFBE", "EFBFBF"]), // 6.23
        ];
        for (var i = 0; i < chapters.Length; i++)
        {
            for (var j = 0; j < chapters[i].Payloads.Length; j++)
            {
                var number = $"6.{i + 5}.{j + 1}";
                var payload = Convert.FromHexString(chapters[i].Payloads[j]);
                var isGood = number.StartsWith("6.6.", StringComparison.Ordinal) ? j + 1 is 2 or 5 or 7 or 9 or 11 : number != "6.11.5" && chapters[i].IsGood;
                yield return new(number, [Frame(Text, Say(payload))], isGood ? TextEvent(Say(payload)) : "refused:1007");
            }
        }
    }

    /// <summary>Sequences without their last byte.</summary>
    private static string[] Incomplete => ["C0", "E080", "F08080", "F8808080", "FC80808080", "DF", "EFBF", "F7BFBF", "FBBFBFBF", "FDBFBFBFBF"];

    private static IEnumerable<ConformanceCase> Closing()
    {
        byte[] normal = CloseWith(1000);
        byte[] big = [.. Enumerable.Range(0, 256 * 1024).Select(i => "BAsd7&jh23"u8[i % 10])];
        byte[] badReason = [.. Greek, .. Surrogate, .. Edited];
        yield return new("7.1.1", [Frame(Text, Hello), normal], TextEvent(Hello), "close:1000");
        yield return new("7.1.2", [normal, normal], "close:1000");
        yield return new("7.1.3", [normal, Ping0], "close:1000");
        yield return new("7.1.4", [normal, Frame(Text, Hello)], "close:1000");
        yield return new("7.1.5", [Frame(Text, "fragment1", final: false), normal, Frame(Continuation, "fragment2")], "close:1000");
        yield return new("7.1.6", [Frame(Text, big), Frame(Text, Hello), normal, Ping0], TextEvent(big), TextEvent(Hello), "close:1000");
        yield return new("7.3.1", [Frame(Close, "")], "close:1000");
        yield return new("7.3.2", [Frame(Close, "a")], "refused:1002");
        yield return new("7.3.3", [normal], "close:1000");
        yield return new("7.3.4", [CloseWith(1000, Hello)], "close:1000");
        yield return new("7.3.5", [CloseWith(1000, [.. Enumerable.Repeat((byte)'*', 123)])], "close:1000");
        yield return new("7.3.6", [CloseWith(1000, [.. Enumerable.Repeat((byte)'*', 124)])], "refused:1002");
        yield return new("7.5.1", [CloseWith(1000, badReason)], "refused:1007");

        int[] good = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
        for (var i = 0; i < good.Length; i++)
        {
            yield return new($"7.7.{i + 1}", [CloseWith(good[i])], string.Create(CultureInfo.InvariantCulture, $"close:{good[i]}"));
        }

        int[] bad = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];
        for (var i = 0; i < bad.Length; i++)
        {
            yield return new($"7.9.{i + 1}", [CloseWith(bad[i])], "refused:1002");
        }

        yield return new("7.13.1", [CloseWith(5000)], "refused:1002");
        yield return new("7.13.2", [CloseWith(65_535)], "refused:1002");
    }

    private static IEnumerable<ConformanceCase> Fragmented()
    {
        var text = SayIn(65_536, "10.1.1");
        yield return new("10.1.1", [InFragments(text, 1_300)], TextEvent(text));
    }

    /// <summary>A text whose answer names a payload.</summary>
    private static byte[] Say(ReadOnlySpan<byte> payload) => [.. "{\"events\":{\""u8, .. payload, .. "\":9}}"u8];

    /// <summary>A text of so many bytes whose answer names a case; without bytes there is no object, and the answer is an error.</summary>
    private static byte[] SayIn(int length, string number)
    {
        var start = $$$"""{"pad":"*","events":{"{{{number}}}":9}}""";
        return length == 0 ? [] : Encoding.ASCII.GetBytes(start.Replace("*", new string('*', length - start.Length + 1), StringComparison.Ordinal));
    }

    private static byte[][] Cut(byte[] text, int parts) => [.. text.Chunk((text.Length + parts - 1) / parts)];

    private static string Bytes(int from, int to, string behindEach) => string.Concat(Enumerable.Range(from, to - from + 1).Select(value => $"{value:X2}{behindEach}"));

    /// <summary>Code points that are no characters and yet good UTF-8: the last two of each plane.</summary>
    private static IEnumerable<int> NonCharacters() => Enumerable.Range(0, 17).SelectMany(plane => new[] { (plane << 16) | 0xFFFE, (plane << 16) | 0xFFFF });

    private static string PingEvent(ReadOnlySpan<byte> payload) => $"ping:{Convert.ToHexStringLower(payload)}";

    private static string PongEvent(ReadOnlySpan<byte> payload) => $"pong:{Convert.ToHexStringLower(payload)}";
}
