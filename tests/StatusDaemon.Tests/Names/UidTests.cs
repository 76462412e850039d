using System.Text;
using CsCheck;

namespace StatusDaemon.Names;

public sealed class UidTests
{
    [Theory]
    [InlineData("a", true)]
    [InlineData("6f000000-0000-4000-8000-000000001001", true)]
    [InlineData("Ünïcödé 1", true)]
    [InlineData("", false)]
    [InlineData("a\0", false)]
    [InlineData("a\u001f", false)]
    [InlineData("a\u007f", false)]
    [InlineData("\u0080", false)]
    [InlineData("a\u009fb", false)]
    [InlineData("\u00a0", true)]
    public void It_is_text_without_control_characters(string text, bool isUid) => Assert.Equal(isUid, Uid.TryParse(text, out _));

    [Fact]
    public void Half_a_surrogate_pair_is_refused_since_its_replacement_would_be_another_subscriber()
    {
        Assert.False(Uid.TryParse("a\ud800", out _));
        Assert.False(Uid.TryParse("\udc00", out _));
        Assert.True(Uid.TryParse("\ud800\udf48", out _));
    }

    [Fact]
    public void It_has_at_most_128_bytes()
    {
        Assert.True(Uid.TryParse(new string('a', Uid.MaxBytes), out _));
        Assert.False(Uid.TryParse(new string('a', Uid.MaxBytes + 1), out _));
        Assert.True(Uid.TryParse(new string('é', Uid.MaxBytes / 2), out _));
        Assert.False(Uid.TryParse(new string('é', (Uid.MaxBytes / 2) + 1), out _));
    }

    [Fact]
    public void Bytes_are_a_uid_exactly_if_they_are_UTF8_without_control_characters() =>
        Gen.Byte.Array[0, 12].Sample(bytes => Uid.TryParse(bytes, out _) == IsGood(bytes), iter: 20_000, threads: 1);

    [Fact]
    public void Near_the_C1_controls_too() =>
        Gen.OneOf<byte>(0xC2, 0x80, 0x9F, 0xA0, 0xC3, 0xE2, (byte)'a').Array[1, 8].Sample(bytes => Uid.TryParse(bytes, out _) == IsGood(bytes), iter: 20_000, threads: 1);

    [Fact]
    public void Text_and_bytes_are_the_same_uid() =>
        Gen.String.Sample(text => !Uid.TryParse(text, out var uid)
            || (Uid.TryParse(Encoding.UTF8.GetBytes(text), out var same) && same.Equals(uid) && same.GetHashCode() == uid.GetHashCode() && uid.ToString() == text));

    [Fact]
    public void Its_shard_number_is_fixed_for_ever() => Assert.Equal(0xaf63dc4c8601ec8cUL, Uid.StableHash("a"u8));

    [Theory, InlineData(1, 0), InlineData(32, 12), InlineData(256, 0x8c)]
    public void The_lowest_bits_of_that_number_say_which_shard_owns_it(int shards, int owner)
    {
        Assert.True(Uid.TryParse("a", out var uid));
        Assert.Equal(owner, uid.ShardOf(shards));
    }

    [Fact]
    public void It_is_looked_up_by_bytes()
    {
        Assert.True(Uid.TryParse("alice", out var alice));
        var table = new Dictionary<Uid, int>(Uid.Comparer) { [alice] = 7 };
        var byBytes = table.GetAlternateLookup<ReadOnlySpan<byte>>();
        Assert.True(byBytes.TryGetValue("alice"u8, out var found));
        Assert.Equal(7, found);
        Assert.False(byBytes.ContainsKey("bob"u8));
    }

    private static bool IsGood(byte[] bytes)
    {
        try
        {
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
            return bytes.Length is >= 1 and <= Uid.MaxBytes && !text.Any(char.IsControl);
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }
}
