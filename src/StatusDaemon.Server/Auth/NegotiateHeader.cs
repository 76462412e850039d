using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Primitives;

namespace StatusDaemon.Auth;

/// <summary>The header <c>Authorization: Negotiate BASE64</c> (RFC 4559 §4.1).</summary>
internal static class NegotiateHeader
{
    /// <summary>The scheme, and the whole challenge of a 401.</summary>
    public const string Scheme = "Negotiate";

    // Four characters for three bytes, and some room for the white space that base64 may have.
    private const int MaxCharacters = (GssAcceptor.MaxTokenBytes / 3 * 4) + 1024;
    private const int MaxSchemeInWords = 16;

    /// <summary>Reads the token out of the header's values.</summary>
    /// <param name="otherwise">What it is if there is no token to look at.</param>
    public static bool TryRead(StringValues values, [NotNullWhen(true)] out byte[]? token, [NotNullWhen(false)] out LoginOutcome? otherwise)
    {
        token = null;
        otherwise = values switch
        {
            { Count: 0 } => new LoginOutcome.Challenged(),
            { Count: > 1 } => new LoginOutcome.Refused(RefusalReason.Garbage, "more than one Authorization header"),
            _ => TryDecode(values.ToString(), out token),
        };
        return token is not null && otherwise is null;
    }

    private static LoginOutcome.Refused? TryDecode(string value, out byte[]? token)
    {
        token = null;
        var space = value.IndexOf(' ', StringComparison.Ordinal);
        var scheme = space < 0 ? value : value[..space];
        if (!scheme.Equals(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            // A credential without a scheme stands where the scheme should: it must not get into the log.
            return new(RefusalReason.NotKerberos, scheme.Length <= MaxSchemeInWords && space > 0 ? $"the scheme {scheme}" : "no scheme that is known here");
        }

        if (value.Length > MaxCharacters)
        {
            return new(RefusalReason.Garbage, $"an Authorization header of {value.Length} characters");
        }

        try
        {
            token = Convert.FromBase64String(value[scheme.Length..]);
            return null;
        }
        catch (FormatException)
        {
            return new(RefusalReason.Garbage, "the token is not base64");
        }
    }
}
