using System.Security.Cryptography;
using System.Text;

namespace StatusDaemon.Protocol;

/// <summary>The opening handshake of a WebSocket, without the transport: RFC 6455 §4.2.</summary>
public static class HandshakeKey
{
    /// <summary>The only version there is.</summary>
    public const string Version = "13";

    private const int KeyBytes = 16;

    /// <summary>Checks the headers of an upgrade request; several lines of one header are joined by commas.</summary>
    public static HandshakeAnswer Check(string? upgrade, string? connection, string? version, string? key)
    {
        if (!HasToken(upgrade, "websocket") || !HasToken(connection, "upgrade") || version?.Trim() != Version)
        {
            return HandshakeAnswer.UpgradeRequired;
        }

        return IsKey(key) ? HandshakeAnswer.SwitchProtocols : HandshakeAnswer.BadRequest;
    }

    /// <summary>The value of <c>Sec-WebSocket-Accept</c> for a key that <see cref="Check"/> found good.</summary>
    public static string AcceptOf(string key)
    {
#pragma warning disable CA5350 // RFC 6455 §4.2.2 names SHA-1; it proves that a WebSocket server answered and protects nothing.
        var hash = SHA1.HashData(Encoding.ASCII.GetBytes(key.Trim() + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
#pragma warning restore CA5350
        return Convert.ToBase64String(hash);
    }

    private static bool IsKey(string? key)
    {
        Span<byte> bytes = stackalloc byte[KeyBytes];
        return key?.Trim() is { Length: 24 } text && Convert.TryFromBase64String(text, bytes, out var written) && written == KeyBytes;
    }

    private static bool HasToken(string? list, string token)
    {
        foreach (var part in list.AsSpan().Split(','))
        {
            if (list.AsSpan()[part].Trim().Equals(token, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
