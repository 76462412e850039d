using System.Buffers.Binary;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Text;

namespace StatusDaemon.Auth;

/// <summary>A token made without a KDC, by somebody who has the service's key: tickets of any time, realm and name, at once.</summary>
/// <remarks>
/// RFC 4120 (AP-REQ), RFC 3961 and 3962 (aes256-cts-hmac-sha1-96), RFC 4121 §4.1. That the library accepts the good ones is the proof
/// that the bad ones are refused for the reason that they were made for.
/// </remarks>
internal sealed record ForgedTicket
{
    private const int Aes256 = 18;
    private const int TicketUsage = 2;
    private const int AuthenticatorUsage = 11;

    private static readonly string Krb5 = "1.2.840.113554.1.2.2";

    /// <summary>The service's key, 32 bytes.</summary>
    public required byte[] Key { get; init; }

    public int KeyVersion { get; init; } = 1;

    public string Service { get; init; } = "HTTP/localhost";

    public string Realm { get; init; } = "ALPHA.TEST";

    public string Client { get; init; } = "alice";

    public string ClientRealm { get; init; } = "ALPHA.TEST";

    public required DateTimeOffset Begin { get; init; }

    public required DateTimeOffset End { get; init; }

    /// <summary>When the client says that it made the token.</summary>
    public required DateTimeOffset Sent { get; init; }

    /// <summary>A good ticket of ten hours that began an hour ago.</summary>
    public static ForgedTicket Good(byte[] key) => new()
    {
        Key = key,
        Begin = DateTimeOffset.UtcNow.AddHours(-1),
        End = DateTimeOffset.UtcNow.AddHours(9),
        Sent = DateTimeOffset.UtcNow,
    };

    /// <summary>A keytab with one key of each of these principals of <c>ALPHA.TEST</c>.</summary>
    public static byte[] Keytab(byte[] key, int version, params string[] services) =>
        [5, 2, .. services.SelectMany(service => KeytabEntry(key, version, service, DateTimeOffset.UtcNow))];

    /// <summary>One entry of a keytab.</summary>
    public static byte[] KeytabEntry(byte[] key, int version, string service, DateTimeOffset made)
    {
        var parts = service.Split('/');
        byte[] entry =
        [
            .. UInt16(parts.Length), .. Counted(Encoding.UTF8.GetBytes("ALPHA.TEST")), .. parts.SelectMany(part => Counted(Encoding.UTF8.GetBytes(part))),
            .. UInt32(1), .. UInt32((uint)made.ToUnixTimeSeconds()), (byte)version, .. UInt16(Aes256), .. Counted(key), .. UInt32((uint)version),
        ];
        return [.. UInt32((uint)entry.Length), .. entry];
    }

    /// <summary>Wraps a token as SPNEGO does (RFC 4178 §4.2.1).</summary>
    public static byte[] Spnego(byte[]? token, params string[] mechanisms)
    {
        var inner = new AsnWriter(AsnEncodingRules.DER);
        using (inner.PushSequence(Context(0)))
        using (inner.PushSequence())
        {
            using (inner.PushSequence(Context(0)))
            using (inner.PushSequence())
            {
                foreach (var mechanism in mechanisms.DefaultIfEmpty(Krb5))
                {
                    inner.WriteObjectIdentifier(mechanism);
                }
            }

            if (token is not null)
            {
                using (inner.PushSequence(Context(2)))
                {
                    inner.WriteOctetString(token);
                }
            }
        }

        return Initial("1.3.6.1.5.5.2", inner.Encode());
    }

    /// <summary>The token as a client sends it, raw Kerberos.</summary>
    public byte[] ToToken()
    {
        var session = RandomNumberGenerator.GetBytes(32);
        return Initial(Krb5, [1, 0, .. Request(session)]);
    }

    private static byte[] Initial(string mechanism, byte[] inner)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        writer.WriteObjectIdentifier(mechanism);
        byte[] content = [.. writer.Encode(), .. inner];
        return [0x60, 0x82, .. UInt16(content.Length), .. content];
    }

    private byte[] Request(byte[] session) => Application(14, request =>
    {
        Integer(request, 0, 5);
        Integer(request, 1, 14);
        Flags(request, 2, 0x20000000);
        Field(request, 3, field => field.WriteEncodedValue(Ticket(session)));
        Encrypted(request, 4, session, null, AuthenticatorUsage, Authenticator());
    });

    private byte[] Ticket(byte[] session) => Application(1, ticket =>
    {
        Integer(ticket, 0, 5);
        Field(ticket, 1, field => General(field, Realm));
        Principal(ticket, 2, 2, Service);
        Encrypted(ticket, 3, Key, KeyVersion, TicketUsage, Application(3, part =>
        {
            Flags(part, 0, 0);
            Field(part, 1, field => Pair(field, Aes256, session));
            Field(part, 2, field => General(field, ClientRealm));
            Principal(part, 3, 1, Client);
            Field(part, 4, field => Pair(field, 1, []));
            Time(part, 5, Begin);
            Time(part, 6, Begin);
            Time(part, 7, End);
        }));
    });

    private byte[] Authenticator() => Application(2, authenticator =>
    {
        Integer(authenticator, 0, 5);
        Field(authenticator, 1, field => General(field, ClientRealm));
        Principal(authenticator, 2, 1, Client);

        // RFC 4121 §4.1.1: no channel binding; mutual, replay, sequence, confidentiality, integrity.
        Field(authenticator, 3, field => Pair(field, 0x8003, [16, 0, 0, 0, .. new byte[16], 0x3E, 0, 0, 0]));
        Integer(authenticator, 4, RandomNumberGenerator.GetInt32(1_000_000));
        Time(authenticator, 5, Sent);
        Integer(authenticator, 7, 1);
    });

    private static byte[] Application(int tag, Action<AsnWriter> write)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence(new Asn1Tag(TagClass.Application, tag, isConstructed: true)))
        using (writer.PushSequence())
        {
            write(writer);
        }

        return writer.Encode();
    }

    private static Asn1Tag Context(int tag) => new(TagClass.ContextSpecific, tag, isConstructed: true);

    private static void Field(AsnWriter writer, int tag, Action<AsnWriter> write)
    {
        using (writer.PushSequence(Context(tag)))
        {
            write(writer);
        }
    }

    private static void Integer(AsnWriter writer, int tag, int value) => Field(writer, tag, field => field.WriteInteger(value));

    private static void Flags(AsnWriter writer, int tag, uint value) => Field(writer, tag, field => field.WriteBitString([.. UInt32(value)]));

    private static void Time(AsnWriter writer, int tag, DateTimeOffset value) =>
        Field(writer, tag, field => field.WriteGeneralizedTime(value, omitFractionalSeconds: true));

    private static void General(AsnWriter writer, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        writer.WriteEncodedValue([(byte)UniversalTagNumber.GeneralString, checked((byte)bytes.Length), .. bytes]);
    }

    private static void Principal(AsnWriter writer, int tag, int kind, string name) => Field(writer, tag, field =>
    {
        using (field.PushSequence())
        {
            Integer(field, 0, kind);
            Field(field, 1, parts =>
            {
                using (parts.PushSequence())
                {
                    foreach (var part in name.Split('/'))
                    {
                        General(parts, part);
                    }
                }
            });
        }
    });

    /// <summary>A kind and its bytes: EncryptionKey, Checksum and TransitedEncoding are of one form.</summary>
    private static void Pair(AsnWriter writer, int kind, byte[] content)
    {
        using (writer.PushSequence())
        {
            Integer(writer, 0, kind);
            Field(writer, 1, field => field.WriteOctetString(content));
        }
    }

    private static void Encrypted(AsnWriter writer, int tag, byte[] key, int? version, int usage, byte[] plain) => Field(writer, tag, field =>
    {
        using (field.PushSequence())
        {
            Integer(field, 0, Aes256);
            if (version is { } kvno)
            {
                Integer(field, 1, kvno);
            }

            Field(field, 2, cipher => cipher.WriteOctetString(Encrypt(key, usage, plain)));
        }
    });

    private static byte[] Encrypt(byte[] key, int usage, byte[] plain)
    {
        byte[] confounded = [.. RandomNumberGenerator.GetBytes(16), .. plain];
        using var aes = Aes.Create();
        aes.Key = Derive(key, usage, 0xAA);
        byte[] padded = [.. confounded, .. new byte[(16 - (confounded.Length % 16)) % 16]];
        var cbc = aes.EncryptCbc(padded, new byte[16], PaddingMode.None);

        // Cipher text stealing, CBC-CS3: the last two blocks change places, and what was padding is cut off.
        byte[] stolen = [.. cbc[..^32], .. cbc[^16..], .. cbc[^32..^16]];
#pragma warning disable CA5350 // RFC 3962 has it so
        return [.. stolen[..confounded.Length], .. HMACSHA1.HashData(Derive(key, usage, 0x55), confounded)[..12]];
#pragma warning restore CA5350
    }

    private static byte[] Derive(byte[] key, int usage, byte purpose)
    {
        using var aes = Aes.Create();
        aes.Key = key;
        var first = aes.EncryptEcb(Fold([.. UInt32((uint)usage), purpose]), PaddingMode.None);
        return [.. first, .. aes.EncryptEcb(first, PaddingMode.None)];
    }

    /// <summary>The n-fold of RFC 3961 §5.1 of five bytes to sixteen: copies, each turned right by 13 bits more, added with end-around carry.</summary>
    private static byte[] Fold(byte[] input)
    {
        var bits = input.Length * 8;
        var copies = new byte[input.Length * 16];
        for (var at = 0; at < copies.Length * 8; at++)
        {
            var from = (((at - (13 * (at / bits))) % bits) + bits) % bits;
            if ((input[from / 8] & (0x80 >> (from % 8))) != 0)
            {
                copies[at / 8] |= (byte)(0x80 >> (at % 8));
            }
        }

        UInt128 sum = 0;
        foreach (var block in copies.Chunk(16))
        {
            var before = sum;
            sum += BinaryPrimitives.ReadUInt128BigEndian(block);
            sum += sum < before ? UInt128.One : UInt128.Zero;
        }

        var folded = new byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(folded, sum);
        return folded;
    }

    private static byte[] UInt16(int value) => [(byte)(value >> 8), (byte)value];

    private static byte[] UInt32(uint value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];

    private static byte[] Counted(byte[] bytes) => [.. UInt16(bytes.Length), .. bytes];
}
