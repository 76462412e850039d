using System.Text;
using static StatusDaemon.Tests.Protocol.ClientFrames;

namespace StatusDaemon.Tests.Protocol;

/// <summary>The cases of the Autobahn test suite, under its numbers, as far as they concern what a server reads. Binary messages are refused here, so 1.2.* and 5.* in binary end in 1003.</summary>
public sealed class FrameConformanceTests
{
    private static readonly byte[] Greek = Encoding.UTF8.GetBytes("κόσμε Hello-µ@ßöäüàá-UTF-8!!");
    private static readonly byte[] BadGreek = [0xCE, 0xBA, 0xE1, 0xBD, 0xB9, 0xCF, 0x83, 0xCE, 0xBC, 0xCE, 0xB5, 0xED, 0xA0, 0x80, 0x65, 0x64];

    private static readonly Dictionary<string, (byte[] Stream, string[] Events)> All = new()
    {
        ["1.1.1"] = (Frame(Text, ""), ["text:"]),
        ["1.1.2"] = TextOf(125),
        ["1.1.3"] = TextOf(126),
        ["1.1.4"] = TextOf(127),
        ["1.1.5"] = TextOf(128),
        ["1.1.6"] = TextOf(65_535),
        ["1.1.7"] = TextOf(65_536),
        ["1.2.1"] = (Frame(Binary, ""), ["refused:1003"]),
        ["1.2.7"] = (Frame(Binary, new byte[65_536]), ["refused:1003"]),

        ["2.1"] = (Frame(Ping, ""), ["ping:"]),
        ["2.2"] = (Frame(Ping, "Hi"), ["ping:4869"]),
        ["2.3"] = (Frame(Ping, [0x00, 0xFF, 0xFE]), ["ping:00fffe"]),
        ["2.4"] = (Frame(Ping, new byte[125]), [$"ping:{new string('0', 250)}"]),
        ["2.5"] = (Frame(Ping, new byte[126]), ["refused:1002"]),
        ["2.7"] = (Frame(Pong, ""), ["pong:"]),
        ["2.8"] = (Frame(Pong, "x"), ["pong:78"]),
        ["2.9"] = ([.. Frame(Pong, "x"), .. Frame(Ping, "y")], ["pong:78", "ping:79"]),
        ["2.10"] = ([.. Enumerable.Repeat(Frame(Ping, "z"), 10).SelectMany(frame => frame)], [.. Enumerable.Repeat("ping:7a", 10)]),

        ["3.1"] = (Frame(Text, "a", reserved: 1), ["refused:1002"]),
        ["3.2"] = ([.. Frame(Text, "a"), .. Frame(Text, "b", reserved: 2), .. Frame(Ping, "")], ["text:61", "refused:1002"]),
        ["3.3"] = ([.. Frame(Text, "a"), .. Frame(Text, "b", reserved: 3), .. Frame(Ping, "")], ["text:61", "refused:1002"]),
        ["3.4"] = ([.. Frame(Text, "a"), .. Frame(Text, "b", reserved: 4), .. Frame(Ping, "")], ["text:61", "refused:1002"]),
        ["3.5"] = (Frame(Binary, "a", reserved: 5), ["refused:1002"]),
        ["3.6"] = (Frame(Ping, "a", reserved: 6), ["refused:1002"]),
        ["3.7"] = (Frame(Close, "", reserved: 7), ["refused:1002"]),

        ["4.1.1"] = (Frame(3, ""), ["refused:1002"]),
        ["4.1.2"] = (Frame(4, "x"), ["refused:1002"]),
        ["4.1.3"] = ([.. Frame(Text, "a"), .. Frame(5, ""), .. Frame(Ping, "")], ["text:61", "refused:1002"]),
        ["4.1.4"] = ([.. Frame(Text, "a"), .. Frame(6, "x"), .. Frame(Ping, "")], ["text:61", "refused:1002"]),
        ["4.1.5"] = ([.. Frame(Text, "a"), .. Frame(7, "x"), .. Frame(Ping, "")], ["text:61", "refused:1002"]),
        ["4.2.1"] = (Frame(11, ""), ["refused:1002"]),
        ["4.2.2"] = (Frame(12, "x"), ["refused:1002"]),
        ["4.2.3"] = ([.. Frame(Text, "a"), .. Frame(13, ""), .. Frame(Ping, "")], ["text:61", "refused:1002"]),
        ["4.2.4"] = ([.. Frame(Text, "a"), .. Frame(14, "x"), .. Frame(Ping, "")], ["text:61", "refused:1002"]),
        ["4.2.5"] = ([.. Frame(Text, "a"), .. Frame(15, "x"), .. Frame(Ping, "")], ["text:61", "refused:1002"]),

        ["5.1"] = ([.. Frame(Ping, "a", final: false), .. Frame(Continuation, "b")], ["refused:1002"]),
        ["5.2"] = ([.. Frame(Pong, "a", final: false), .. Frame(Continuation, "b")], ["refused:1002"]),
        ["5.3"] = ([.. Frame(Text, "a", final: false), .. Frame(Continuation, "b")], ["text:6162"]),
        ["5.6"] = ([.. Frame(Text, "a", final: false), .. Frame(Ping, "p"), .. Frame(Continuation, "b")], ["ping:70", "text:6162"]),
        ["5.9"] = ([.. Frame(Continuation, "a"), .. Frame(Text, "b")], ["refused:1002"]),
        ["5.12"] = ([.. Frame(Continuation, "a", final: false), .. Frame(Text, "b")], ["refused:1002"]),
        ["5.15"] = ([.. Frame(Text, "a", final: false), .. Frame(Continuation, "b"), .. Frame(Continuation, "c", final: false), .. Frame(Text, "d")], ["text:6162", "refused:1002"]),
        ["5.16"] = ([.. Frame(Continuation, "a", final: false), .. Frame(Text, "b", final: false), .. Frame(Continuation, "c")], ["refused:1002"]),
        ["5.18"] = ([.. Frame(Text, "a", final: false), .. Frame(Text, "b")], ["refused:1002"]),
        ["5.18 (binary)"] = ([.. Frame(Text, "a", final: false), .. Frame(Binary, "b")], ["refused:1002"]),
        ["5.19"] = (
            [.. Frame(Text, "a", final: false), .. Frame(Continuation, "b", final: false), .. Frame(Ping, "p"), .. Frame(Continuation, "c", final: false), .. Frame(Continuation, "d", final: false), .. Frame(Ping, "q"), .. Frame(Continuation, "e")],
            ["ping:70", "ping:71", "text:6162636465"]),

        ["6.1.1"] = (Frame(Text, ""), ["text:"]),
        ["6.1.2"] = ([.. Frame(Text, "", final: false), .. Frame(Continuation, "", final: false), .. Frame(Continuation, "")], ["text:"]),
        ["6.1.3"] = ([.. Frame(Text, "", final: false), .. Frame(Continuation, "m", final: false), .. Frame(Continuation, "")], ["text:6d"]),
        ["6.2.1"] = (Frame(Text, Greek), [TextEvent(Greek)]),
        ["6.2.2"] = (InFragments(Greek, 14), [TextEvent(Greek)]),
        ["6.2.3"] = (InFragments(Greek, 1), [TextEvent(Greek)]),
        ["6.3.1"] = (Frame(Text, BadGreek), ["refused:1007"]),
        ["6.3.2"] = (InFragments(BadGreek, 1), ["refused:1007"]),
        ["6.4.1"] = ([.. Frame(Text, BadGreek.AsSpan(0, 11), final: false), .. Frame(Continuation, [0xF4, 0x90, 0x80, 0x80], final: false)], ["refused:1007"]),
        ["6.4.3"] = (Frame(Text, [.. BadGreek[..11], 0xF4, 0x90, 0x80, 0x80, .. Greek])[..(6 + 13)], ["refused:1007"]),
        ["6.5.1"] = BadAfter([0x00], good: true),
        ["6.6.1"] = BadAfter([0xCE]),
        ["6.6.3"] = BadAfter([0xE1]),
        ["6.6.4"] = BadAfter([0xE1, 0xBD]),
        ["6.6.5"] = BadAfter([0xE1, 0xBD, 0xB9], good: true),
        ["6.7.1"] = BadAfter([0x00], good: true),
        ["6.7.2"] = BadAfter([0xC2, 0x80], good: true),
        ["6.7.3"] = BadAfter([0xE0, 0xA0, 0x80], good: true),
        ["6.7.4"] = BadAfter([0xF0, 0x90, 0x80, 0x80], good: true),
        ["6.8.1"] = BadAfter([0xF8, 0x88, 0x80, 0x80, 0x80]),
        ["6.8.2"] = BadAfter([0xFC, 0x84, 0x80, 0x80, 0x80, 0x80]),
        ["6.9.4"] = BadAfter([0xF4, 0x8F, 0xBF, 0xBF], good: true),
        ["6.10.1"] = BadAfter([0xF7, 0xBF, 0xBF, 0xBF]),
        ["6.11.1"] = BadAfter([0xED, 0x9F, 0xBF], good: true),
        ["6.11.5"] = BadAfter([0xF4, 0x90, 0x80, 0x80]),
        ["6.12.1"] = BadAfter([0x80]),
        ["6.13.1"] = BadAfter([0xC0, 0x20]),
        ["6.14.1"] = BadAfter([0xC0]),
        ["6.16.1"] = BadAfter([0xFE]),
        ["6.17.1"] = BadAfter([0xC0, 0xAF]),
        ["6.18.1"] = BadAfter([0xC1, 0xBF]),
        ["6.19.3"] = BadAfter([0xF0, 0x80, 0x80, 0x80]),
        ["6.20.1"] = BadAfter([0xED, 0xA0, 0x80]),
        ["6.21.1"] = BadAfter([0xED, 0xA0, 0x80, 0xED, 0xB0, 0x80]),
        ["6.22.1"] = BadAfter([0xEF, 0xBF, 0xBE], good: true),
        ["6.23.1"] = BadAfter([0xEF, 0xBF, 0xBD], good: true),

        ["7.1.1"] = ([.. Frame(Text, "a"), .. CloseWith(1000)], ["text:61", "close:1000"]),
        ["7.1.2"] = ([.. CloseWith(1000), .. CloseWith(1000)], ["close:1000"]),
        ["7.1.3"] = ([.. CloseWith(1000), .. Frame(Ping, "")], ["close:1000"]),
        ["7.1.4"] = ([.. CloseWith(1000), .. Frame(Text, "a")], ["close:1000"]),
        ["7.1.5"] = ([.. Frame(Text, "a", final: false), .. CloseWith(1000), .. Frame(Continuation, "b")], ["close:1000"]),
        ["7.3.1"] = (Frame(Close, ""), ["close:1000"]),
        ["7.3.2"] = (Frame(Close, "a"), ["refused:1002"]),
        ["7.3.3"] = (CloseWith(1000), ["close:1000"]),
        ["7.3.4"] = (CloseWith(1000, "bye"u8), ["close:1000"]),
        ["7.3.5"] = (CloseWith(1000, new byte[123]), ["close:1000"]),
        ["7.3.6"] = (CloseWith(1000, new byte[124]), ["refused:1002"]),
        ["7.5.1"] = (CloseWith(1000, BadGreek), ["refused:1007"]),
        ["10.1.1"] = (InFragments(Letters(65_536), 1_300), [TextEvent(Letters(65_536))]),
    };

    public static TheoryData<string> Numbers => [.. All.Keys];

    [Theory, MemberData(nameof(Numbers))]
    public void A_case_ends_as_it_should_however_the_stream_is_cut(string number)
    {
        var (stream, events) = All[number];

        Assert.Equal(events, Read(stream));
        Assert.Equal(events, Read(stream, pieceLength: 1));
        Assert.Equal(events, Read(stream, pieceLength: 997)); // the "chops" of 1.1.8, 2.6, 2.11, 5.4, 5.7 and 5.20
    }

    [Theory]
    [InlineData(1000), InlineData(1001), InlineData(1002), InlineData(1003), InlineData(1007), InlineData(1008), InlineData(1009)]
    [InlineData(1010), InlineData(1011), InlineData(1012), InlineData(1013), InlineData(1014), InlineData(3000), InlineData(3999), InlineData(4000), InlineData(4999)]
    public void A_client_may_close_with_a_registered_or_free_code_7_7(int code) =>
        Assert.Equal([$"close:{code}"], Read(CloseWith(code)));

    [Theory]
    [InlineData(0), InlineData(999), InlineData(1004), InlineData(1005), InlineData(1006), InlineData(1015), InlineData(1016), InlineData(1100), InlineData(2000)]
    [InlineData(2999), InlineData(5000), InlineData(65_535)]
    public void A_client_may_not_close_with_any_other_code_7_9_and_7_13(int code) =>
        Assert.Equal(["refused:1002"], Read(CloseWith(code)));

    private static (byte[] Stream, string[] Events) TextOf(int length) => (Frame(Text, Letters(length)), [TextEvent(Letters(length))]);

    private static byte[] Letters(int length) => [.. Enumerable.Repeat((byte)'*', length)];

    private static (byte[] Stream, string[] Events) BadAfter(byte[] end, bool good = false)
    {
        byte[] text = [.. "ok "u8, .. end];
        return (Frame(Text, text), [good ? TextEvent(text) : "refused:1007"]);
    }
}
