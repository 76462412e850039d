using System.Buffers.Binary;
using CsCheck;
using StatusDaemon.Protocol;
using static StatusDaemon.Tests.Protocol.ClientFrames;

namespace StatusDaemon.Tests.Protocol;

public sealed class FrameReaderTests
{
    private static readonly Gen<byte[]> Texts = Gen.String[0, 200].Select(System.Text.Encoding.UTF8.GetBytes);

    // A stream that breaks no rule, and its events. A lone surrogate of the generator has become a replacement character.
    private static readonly Gen<(byte[] Stream, string[] Events)> Valid =
        Gen.OneOf(
            Texts.Select(text => (Frame(Text, text), new[] { TextEvent(text) })),
            Gen.Select(Texts.Where(text => text.Length > 0), Gen.Int[1, 50]).Select((text, size) => (InFragments(text, size), new[] { TextEvent(text) })),
            Gen.Select(Texts, Gen.Byte.Array[0, 125]).Select((text, ping) => (
                Stream([Frame(Text, text, final: false), Frame(Ping, ping), Frame(Continuation, "")]),
                new[] { $"ping:{Convert.ToHexStringLower(ping)}", TextEvent(text) })),
            Gen.Byte.Array[0, 125].Select(pong => (Frame(Pong, pong), new[] { $"pong:{Convert.ToHexStringLower(pong)}" })))
        .Array[0, 8].Select(parts => (Stream(parts.Select(part => part.Item1)), parts.SelectMany(part => part.Item2).ToArray()));

    [Fact]
    public void However_a_stream_is_cut_the_events_are_the_same() =>
        Gen.Select(Valid, Gen.Int[1, 40].Array[1, 20]).Sample((valid, cuts) =>
        {
            Assert.Equal(valid.Events, Read(valid.Stream));
            Assert.Equal(valid.Events, Read(valid.Stream, pieceLength: 1));
            var next = 0;
            using var reader = new FrameReader(1 << 20);
            Assert.Equal(valid.Events, Read(reader, valid.Stream, () => cuts[next++ % cuts.Length]));
        }, iter: 2_000);

    [Fact]
    public void Any_bytes_give_events_and_the_same_ones_in_every_cut() =>
        Gen.Select(Valid, Gen.Select(Gen.Int[0, 1_000_000], Gen.Byte).Array[0, 6]).Sample((valid, changes) =>
        {
            var stream = valid.Stream.ToArray();
            foreach (var (at, value) in changes)
            {
                if (stream.Length > 0)
                {
                    stream[at % stream.Length] = value;
                }
            }

            Assert.Equal(Read(stream, maxMessageBytes: 512), Read(stream, pieceLength: 1, maxMessageBytes: 512));
        }, iter: 5_000);

    [Fact]
    public void Noise_never_throws() =>
        Gen.Byte.Array[0, 300].Sample(noise => Read(noise), iter: 5_000);

    [Fact]
    public void A_frame_that_is_not_masked_is_refused() =>
        Assert.Equal(["refused:1002"], Read(Frame(Text, "a"u8, masked: false)));

    [Theory, InlineData(125, 126), InlineData(125, 127), InlineData(65_535, 127), InlineData(0, 126)]
    public void A_length_in_a_longer_form_than_it_needs_is_refused(int length, int form) =>
        Assert.Equal(["refused:1002"], Read(Frame(Text, new byte[length], lengthForm: form)));

    [Fact]
    public void A_length_with_its_highest_bit_set_is_refused()
    {
        byte[] header = [0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4];

        Assert.Equal(["refused:1002"], Read(header));
    }

    [Fact]
    public void A_message_of_exactly_the_limit_is_read() =>
        Assert.Equal([TextEvent(new byte[1_000])], Read(Frame(Text, new byte[1_000]), maxMessageBytes: 1_000));

    [Theory, InlineData(1_001), InlineData(65_536), InlineData(long.MaxValue)]
    public void A_longer_message_is_refused_at_its_header(long announced)
    {
        var header = new byte[14];
        header[0] = 0x81;
        header[1] = announced > ushort.MaxValue ? (byte)0xFF : (byte)0xFE;
        if (announced > ushort.MaxValue)
        {
            BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(2), announced);
        }
        else
        {
            BinaryPrimitives.WriteInt16BigEndian(header.AsSpan(2), (short)announced);
            header = header[..8];
        }

        Assert.Equal(["refused:1009"], Read(header, maxMessageBytes: 1_000));
    }

    [Fact]
    public void Fragments_count_together()
    {
        var fragments = InFragments(new byte[1_001], 500);

        Assert.Equal(["refused:1009"], Read(fragments, maxMessageBytes: 1_000));
    }

    [Fact]
    public void A_control_frame_between_fragments_does_not_count_to_the_message()
    {
        var stream = Stream([Frame(Text, new byte[1_000], final: false), Frame(Ping, new byte[125]), Frame(Continuation, "")]);

        Assert.Equal([$"ping:{new string('0', 250)}", TextEvent(new byte[1_000])], Read(stream, pieceLength: 1, maxMessageBytes: 1_000));
    }

    [Fact]
    public void Text_that_can_no_longer_become_good_is_refused_before_the_message_ends()
    {
        var bad = Frame(Text, [(byte)'a', 0xC3, 0x28, .. new byte[500]]);

        Assert.Equal(["refused:1007"], Read(bad.AsSpan(0, 6 + 2 + 3)));
    }

    [Fact]
    public void Nothing_is_read_after_the_end()
    {
        using var reader = new FrameReader(1_000);
        Assert.Equal(["refused:1002"], Read(reader, [0, 0, .. Frame(Text, "a")], () => 1));
        Assert.Empty(Read(reader, Frame(Text, "a"), () => 100));
    }

    [Fact]
    public void A_disposed_reader_reads_nothing()
    {
        var reader = new FrameReader(1_000);
        Read(reader, Frame(Text, "a", final: false), () => 100);
        reader.Dispose();
        Assert.Empty(Read(reader, Frame(Continuation, "b"), () => 100));
    }

    [Fact]
    public void An_announced_length_alone_takes_no_memory()
    {
        const int Megabytes16 = 16 << 20;
        var beginning = Frame(Text, new byte[Megabytes16])[..17];

        Assert.InRange(
            Allocation.OfWarm(() =>
            {
                using var reader = new FrameReader(Megabytes16);
                ReadOnlySpan<byte> input = beginning;
                Assert.Equal(FrameEvent.NeedsMore, reader.Read(ref input));
            }),
            0,
            1_000_000); // a thousand times: a reader, and a few bytes of the pool
    }

    [Fact]
    public void Messages_whole_and_in_pieces_are_read_without_allocating()
    {
        var whole = Frame(Text, new byte[120]);
        var pinged = Stream([Frame(Text, "a", final: false), Frame(Ping, "p"), Frame(Continuation, "b")]);
        using var reader = new FrameReader(1_000);

        Assert.Equal(0, Allocation.OfWarm(() =>
        {
            Drain(reader, whole);
            Drain(reader, pinged);
            Drain(reader, whole.AsSpan(0, 60));
            Drain(reader, whole.AsSpan(60));
        }));
    }

    [Theory, InlineData(0), InlineData(1), InlineData(3), InlineData(15), InlineData(31), InlineData(63), InlineData(64), InlineData(65), InlineData(1_000)]
    public void Unmasking_is_right_at_every_length_and_cut(int length)
    {
        var text = Enumerable.Range(0, length).Select(i => (byte)(i % 128)).ToArray();
        for (var cut = 1; cut < 8; cut++)
        {
            Assert.Equal([TextEvent(text)], Read(Frame(Text, text), pieceLength: 6 + cut));
        }
    }

    private static void Drain(FrameReader reader, ReadOnlySpan<byte> input)
    {
        while (reader.Read(ref input) != FrameEvent.NeedsMore)
        {
        }
    }

    private static byte[] Stream(IEnumerable<byte[]> frames) => [.. frames.SelectMany(frame => frame)];
}
