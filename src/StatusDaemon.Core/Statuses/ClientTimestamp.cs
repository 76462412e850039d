using System.Runtime.CompilerServices;
using System.Text;

namespace StatusDaemon.Statuses;

/// <summary>The time that a client claims for its status: a decimal number that passes through as it came.</summary>
/// <remarks>
/// Never trusted for ordering. Held inline, so that a status costs no object, and in half a byte a character, since every record has one. At most <see cref="MaxLength"/> characters
/// (docs/protocol.md §3.2); JSON string and JSON number are told apart, since watchers get back the same form. The default value is no timestamp.
/// </remarks>
public readonly struct ClientTimestamp : IEquatable<ClientTimestamp>
{
    /// <summary>Longest number in characters.</summary>
    public const int MaxLength = 32;

    private static ReadOnlySpan<byte> Alphabet => "0123456789.-+eE"u8;

    private readonly Halves halves; // places in the alphabet, two characters a byte, the first in the low half
    private readonly byte length;
    private readonly bool quoted;

    private ClientTimestamp(ReadOnlySpan<byte> number, bool quoted)
    {
        for (var i = 0; i < number.Length; i++)
        {
            halves[i / 2] |= (byte)(PlaceOf(number[i]) << (4 * (i % 2)));
        }

        length = (byte)number.Length;
        this.quoted = quoted;
    }

    /// <summary>Whether the publisher gave none.</summary>
    public bool IsNone => length == 0;

    /// <summary>Whether it came as a JSON string.</summary>
    public bool IsQuoted => quoted;

    /// <summary>Writes the characters of the number, without quotes.</summary>
    /// <param name="number">At least as long as the number; <see cref="MaxLength"/> bytes always are.</param>
    /// <returns>How many there are.</returns>
    public int CopyTo(Span<byte> number)
    {
        for (var i = 0; i < length; i++)
        {
            number[i] = Alphabet[(halves[i / 2] >> (4 * (i % 2))) & 0xF];
        }

        return length;
    }

    /// <summary>Reads the characters of a number: sign, digits, one point, an exponent, as JSON has it.</summary>
    /// <returns>False for anything that is not one decimal number of at most <see cref="MaxLength"/> characters.</returns>
    public static bool TryParse(ReadOnlySpan<byte> number, bool quoted, out ClientTimestamp timestamp)
    {
        var good = IsNumber(number);
        timestamp = good ? new ClientTimestamp(number, quoted) : default;
        return good;
    }

    /// <inheritdoc/>
    public bool Equals(ClientTimestamp other) =>
        quoted == other.quoted && length == other.length && ((ReadOnlySpan<byte>)halves).SequenceEqual(other.halves);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ClientTimestamp other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(halves);
        return hash.ToHashCode();
    }

    /// <summary>Whether two timestamps are the same characters in the same form.</summary>
    public static bool operator ==(ClientTimestamp left, ClientTimestamp right) => left.Equals(right);

    /// <summary>Whether two timestamps differ in characters or in form.</summary>
    public static bool operator !=(ClientTimestamp left, ClientTimestamp right) => !left.Equals(right);

    /// <inheritdoc/>
    public override string ToString()
    {
        Span<byte> number = stackalloc byte[MaxLength];
        return Encoding.ASCII.GetString(number[..CopyTo(number)]);
    }

    private static int PlaceOf(byte character) => character is >= (byte)'0' and <= (byte)'9' ? character - '0' : Alphabet.IndexOf(character);

    private static bool IsNumber(ReadOnlySpan<byte> text)
    {
        if (text.Length is 0 or > MaxLength)
        {
            return false;
        }

        var at = text[0] == '-' ? 1 : 0;
        var whole = DigitsFrom(text, at);
        if (whole == 0 || (whole > 1 && text[at] == '0'))
        {
            return false;
        }

        at += whole;
        if (at < text.Length && text[at] == '.')
        {
            var fraction = DigitsFrom(text, at + 1);
            if (fraction == 0)
            {
                return false;
            }

            at += 1 + fraction;
        }

        if (at < text.Length && text[at] is (byte)'e' or (byte)'E')
        {
            at += at + 1 < text.Length && text[at + 1] is (byte)'+' or (byte)'-' ? 2 : 1;
            var exponent = DigitsFrom(text, at);
            if (exponent == 0)
            {
                return false;
            }

            at += exponent;
        }

        return at == text.Length;
    }

    private static int DigitsFrom(ReadOnlySpan<byte> text, int at)
    {
        if (at >= text.Length)
        {
            return 0;
        }

        var end = text[at..].IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        return end < 0 ? text.Length - at : end;
    }

    [InlineArray(MaxLength / 2)]
    private struct Halves
    {
        private byte first;
    }
}
