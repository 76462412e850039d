using System.Text;
using System.Text.Json;
using CsCheck;

namespace StatusDaemon.Statuses;

public sealed class ClientTimestampTests
{
    // Short ones of few characters, so that two are often equal or one begins as the other.
    private static readonly Gen<string> Numbers = Gen.OneOf(Gen.Char["-+.eE0019"].Array[1, 4], Gen.Char["-+.eE0123456789"].Array[1, 32])
        .Select(chars => new string(chars)).Where(IsJsonNumber);

    [Theory]
    [InlineData("0")]
    [InlineData("1627128694.693686")]
    [InlineData("-1.5e+10")]
    [InlineData("1E5")]
    [InlineData("12345678901234567890123456789012")]
    public void A_decimal_number_passes_as_it_came(string text)
    {
        Assert.True(ClientTimestamp.TryParse(Encoding.ASCII.GetBytes(text), quoted: true, out var timestamp));
        Assert.Equal((text, true, false), (timestamp.ToString(), timestamp.IsQuoted, timestamp.IsNone));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("01")]
    [InlineData("1.")]
    [InlineData(".5")]
    [InlineData("1e")]
    [InlineData("1e+")]
    [InlineData("+1")]
    [InlineData("1 ")]
    [InlineData("NaN")]
    [InlineData("0x10")]
    [InlineData("123456789012345678901234567890123")]
    public void Anything_else_is_refused(string text) => Assert.False(ClientTimestamp.TryParse(Encoding.ASCII.GetBytes(text), quoted: false, out _));

    [Fact]
    public void Its_grammar_is_the_one_of_JSON() =>
        Gen.Char["-+.eE0019"].Array[1, 8].Select(chars => new string(chars)).Sample(
            text => ClientTimestamp.TryParse(Encoding.ASCII.GetBytes(text), quoted: false, out _) == IsJsonNumber(text), iter: 20_000, threads: 1);

    [Fact]
    public void Two_are_equal_exactly_if_their_characters_are() =>
        Gen.Select(Numbers, Numbers).Sample((one, other) =>
        {
            Assert.True(ClientTimestamp.TryParse(Encoding.ASCII.GetBytes(one), quoted: false, out var first));
            Assert.True(ClientTimestamp.TryParse(Encoding.ASCII.GetBytes(other), quoted: false, out var second));
            Assert.Equal((one, other), (first.ToString(), second.ToString()));
            Assert.Equal(one == other, first == second);
            Assert.True(first != second || first.GetHashCode() == second.GetHashCode());
        }, iter: 2_000, threads: 1);

    [Fact]
    public void The_form_is_part_of_it()
    {
        Assert.True(ClientTimestamp.TryParse("1"u8, quoted: true, out var text));
        Assert.True(ClientTimestamp.TryParse("1"u8, quoted: false, out var number));
        Assert.True(text != number);
        Assert.True(ClientTimestamp.TryParse("1"u8, quoted: true, out var same));
        Assert.True(text == same && text.GetHashCode() == same.GetHashCode());
        Assert.True(default(ClientTimestamp).IsNone);
    }

    private static bool IsJsonNumber(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Number;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
