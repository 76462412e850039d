using CsCheck;
using StatusDaemon.Protocol;
using static StatusDaemon.Tests.Protocol.ClientFrames;

namespace StatusDaemon.Tests.Protocol;

/// <summary>The reader against the <see cref="ConformanceCases"/>.</summary>
public sealed class FrameConformanceTests
{
    public static TheoryData<string> Numbers => [.. ConformanceCases.All.Keys];

    [Theory, MemberData(nameof(Numbers))]
    public void A_case_ends_as_it_should_however_the_stream_is_cut(string number)
    {
        var one = ConformanceCases.All[number];
        byte[] all = [.. one.Stream, .. one.Held];

        Assert.Equal(one.Events, Read(one.Stream)); // what is held changes nothing
        Assert.Equal(one.Events, Read(all));
        Assert.Equal(one.Events, Read(all, pieceLength: 1));
        Gen.Int[1, Math.Max(2, all.Length / 4)].Array[1, 20].Sample(cuts =>
        {
            var next = 0;
            using var reader = new FrameReader(1 << 20);
            Assert.Equal(one.Events, Read(reader, all, () => cuts[next++ % cuts.Length]));
        }, iter: 10);
    }

    [Fact]
    public void All_cases_of_the_chapters_are_there()
    {
        (string Chapter, int Cases)[] chapters =
        [
            ("1.1", 8), ("1.2", 8), ("2", 11), ("3", 7), ("4.1", 5), ("4.2", 5), ("5", 20), ("6.1", 3), ("6.2", 4), ("6.3", 2), ("6.4", 4), ("6.5", 5),
            ("6.6", 11), ("6.7", 4), ("6.8", 2), ("6.9", 4), ("6.10", 3), ("6.11", 5), ("6.12", 8), ("6.13", 5), ("6.14", 10), ("6.15", 1), ("6.16", 3), ("6.17", 5),
            ("6.18", 5), ("6.19", 5), ("6.20", 7), ("6.21", 8), ("6.22", 34), ("6.23", 7), ("7.1", 6), ("7.3", 6), ("7.5", 1), ("7.7", 13), ("7.9", 9), ("7.13", 2), ("10.1", 1),
        ];

        Assert.Equal(chapters, ConformanceCases.All.Keys.GroupBy(number => number[..number.LastIndexOf('.')]).Select(chapter => (chapter.Key, chapter.Count())).OrderBy(chapter => Array.IndexOf(chapters, chapter)));
        Assert.Equal(247, ConformanceCases.All.Count);
    }

    [Theory, InlineData("6.4.1"), InlineData("6.4.2"), InlineData("6.4.3"), InlineData("6.4.4")]
    public void Text_is_refused_with_the_octet_that_makes_it_bad_and_not_before(string number)
    {
        var one = ConformanceCases.All[number];
        var rest = one.Parts[1];
        var bad = number is "6.4.1" ? rest.Length - 2 : number is "6.4.3" ? 2 : rest.Length; // F4 is good, 90 behind it is not

        Assert.Empty(Read((byte[])[.. one.Parts[0], .. rest[..(bad - 1)]]));
        Assert.Equal(["refused:1007"], Read((byte[])[.. one.Parts[0], .. rest[..bad]]));
    }

    [Theory, InlineData(1012), InlineData(1013), InlineData(1014)]
    public void Codes_that_were_registered_since_may_be_closed_with_too(int code) =>
        Assert.Equal([$"close:{code}"], Read(CloseWith(code)));

    [Fact]
    public void The_code_for_a_failed_handshake_of_TLS_never_travels() =>
        Assert.Equal(["refused:1002"], Read(CloseWith(1015)));
}
