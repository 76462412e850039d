using System.Formats.Asn1;
using StatusDaemon.Names;

namespace StatusDaemon.Auth;

/// <summary>Says whose ticket a token carries: one credential for the process, one leg, no state between tokens.</summary>
/// <remarks>
/// Any thread may call. An accept takes 0.1 to 0.5 ms of CPU, asks no network, and can wait only for the disk or for the lock of
/// keytab and replay cache; so it is called in line. A keytab that is replaced while running is seen at the next token.
/// </remarks>
internal sealed class GssAcceptor : IDisposable
{
    /// <summary>Largest token: a ticket with the longest privilege list of Active Directory has 48,000 bytes.</summary>
    public const int MaxTokenBytes = 64 * 1024;

    // What libkrb5 says, by its message catalogue, which NativeGss pins to English. Codes would be no firmer: behind SPNEGO the
    // library hands out numbers of its own making. Tests drive each with a real token.
    private static readonly (string Words, RefusalReason Reason)[] Reasons =
    [
        ("Request is a replay", RefusalReason.Replay),
        ("Clock skew too great", RefusalReason.Skew),
        ("Ticket expired", RefusalReason.Expired),
        ("Ticket not yet valid", RefusalReason.Expired),
        ("Decrypt integrity check failed", RefusalReason.WrongKey),
        ("cannot decrypt ticket", RefusalReason.WrongKey),
        ("likely out of date", RefusalReason.WrongKey),
        ("found in keytab but not with enctype", RefusalReason.WrongKey),
        ("not found in keytab", RefusalReason.WrongService),
    ];

    private readonly GssSetup setup;
    private readonly GssCredential credential;

    /// <exception cref="GssException">The keytab cannot be used; <see cref="AuthProbe"/> says so in better words.</exception>
    public GssAcceptor(GssSetup setup)
    {
        this.setup = setup;
        credential = NativeGss.Acquire($"FILE:{setup.Keytab}", $"file2:{setup.ReplayCache}");
    }

    /// <summary>What keeps everybody from logging in now, in words; null if nothing does. Reads the keytab.</summary>
    public string? Problem => AuthFiles.KeytabProblem(setup.Keytab, out _) ?? AuthFiles.ReplayCacheProblem(setup.ReplayCache);

    /// <summary>Looks at one token that a client may have made up.</summary>
    public GssOutcome Accept(ReadOnlySpan<byte> token)
    {
        if (Glance(token) is { } refusal)
        {
            return refusal;
        }

        var answer = NativeGss.Accept(credential, token);
        return answer.Major == 0 ? Check(answer) : Refuse(answer);
    }

    /// <inheritdoc/>
    public void Dispose() => credential.Dispose();

    /// <summary>What needs no cryptography to be refused, so that a storm of it is cheap; null if only <see cref="Accept"/> can tell.</summary>
    public static GssOutcome.Refused? Glance(ReadOnlySpan<byte> token) => token switch
    {
        { Length: 0 or > MaxTokenBytes } => new(RefusalReason.Garbage, $"a token of {token.Length} bytes"),
        _ when token.StartsWith("NTLMSSP\0"u8) => new(RefusalReason.NotKerberos, "NTLM, not Kerberos"),
        [not 0x60, ..] => new(RefusalReason.Garbage, "not a token of GSS-API"),
        _ when !AsnDecoder.TryReadEncodedValue(token, AsnEncodingRules.BER, out _, out _, out _, out _) => new(RefusalReason.Garbage, "the token is cut short"),
        _ => null,
    };

    private GssOutcome Check(NativeAccept answer)
    {
        if (!ServiceName.TryParsePrincipal(answer.Service, out var service, out _) || !setup.Services.Contains(service))
        {
            return new GssOutcome.Refused(RefusalReason.WrongService, $"the ticket is for {answer.Service}, which is in the keytab but not in AUTH.servicename");
        }

        if (!DName.TryParse(answer.Client, out var client))
        {
            return new GssOutcome.Refused(RefusalReason.Other, "the client's principal is too long or has white space");
        }

        if (!setup.Realms.Contains(client.Realm.ToString()))
        {
            return new GssOutcome.Refused(RefusalReason.ForeignRealm, $"{client} is of a realm that is not served here; AUTH.realms names those that are.");
        }

        return new GssOutcome.Accepted(client, answer.Service, DateTimeOffset.FromUnixTimeSeconds(answer.End), answer.Reply);
    }

    private GssOutcome Refuse(NativeAccept answer)
    {
        if ((answer.Major & NativeGss.RoutineErrors) == 0)
        {
            return new GssOutcome.Refused(RefusalReason.NotKerberos, "the client offers Kerberos but sent no ticket, or another mechanism first");
        }

        foreach (var (words, reason) in Reasons)
        {
            if (answer.Words.Contains(words, StringComparison.OrdinalIgnoreCase))
            {
                return new GssOutcome.Refused(reason, answer.Words);
            }
        }

        return (answer.Major & NativeGss.RoutineErrors) switch
        {
            NativeGss.DefectiveToken => new GssOutcome.Refused(RefusalReason.Garbage, answer.Words),
            NativeGss.BadMechanism => new GssOutcome.Refused(RefusalReason.NotKerberos, answer.Words),
            _ when Problem is { } problem => new GssOutcome.Broken($"{problem} ({answer.Words})"),
            NativeGss.Failure when answer.Words.StartsWith("Unspecified GSS failure", StringComparison.Ordinal) =>
                new GssOutcome.Refused(RefusalReason.Garbage, "the token has the frame of Kerberos and no Kerberos message in it"),
            _ => new GssOutcome.Refused(RefusalReason.Other, answer.Words),
        };
    }
}
